"""`python -m tests.bench [app]`: run the figures, print each as it comes, keep them in var/bench.json. Exit 0 whatever they say."""

import importlib
import json
import os
import pkgutil
import subprocess
import sys

import django

import tests.bench
from config import env
from tests.bench.measure import Figure
from tests.database import make_database
from tests.services import Services

MACHINERY = {"__main__", "measure"}


def main(only: str) -> int:
    """Each module has a process and servers of its own, so that none measures what another left running."""
    names = [module.name for module in pkgutil.iter_modules(tests.bench.__path__) if module.name not in MACHINERY]
    found = [one for name in names if only in ("", name) for one in _measured(name)]
    kept = env.home() / "bench.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _measured(name: str) -> list[Figure]:
    found: list[Figure] = []
    with subprocess.Popen([sys.executable, "-m", "tests.bench", "--here", name], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith('{"name"'):
                found.append(json.loads(line))
    if process.returncode:  # a benchmark that breaks is a line of the report
        print(json.dumps({"name": name, "value": None, "unit": "", "goal": None, "ok": False}), flush=True)
    return found


def measure(name: str) -> int:
    services = Services(disposable=False)
    try:
        services.start()
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        django.setup()
        make_database()
        for one in importlib.import_module(f"tests.bench.{name}").figures():
            print(json.dumps(one), flush=True)
    finally:
        services.stop()
    return 0


if __name__ == "__main__":
    sys.exit(measure(sys.argv[2]) if sys.argv[1:2] == ["--here"] else main(sys.argv[1] if len(sys.argv) > 1 else ""))
