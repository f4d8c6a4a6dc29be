"""`python -m tests.bench [app]`: run the figures, print each as it comes, keep them in var/bench.json. Exit 0 whatever they say."""

import importlib
import json
import os
import pkgutil
import sys
import traceback
from collections.abc import Iterator

import django

import tests.bench
from config import env
from tests.bench.measure import Figure
from tests.database import drop_database, make_database
from tests.services import Services

MACHINERY = {"__main__", "measure"}


def main(only: str) -> int:
    names = [module.name for module in pkgutil.iter_modules(tests.bench.__path__) if module.name not in MACHINERY]
    kept = env.home() / "bench.json"
    services = Services(disposable=False)
    found: list[Figure] = []
    try:
        services.start()
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        django.setup()
        for name in names:
            if only in ("", name):
                found += _measured(name)
    finally:
        services.stop()
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _measured(name: str) -> Iterator[Figure]:
    make_database()
    try:
        for one in importlib.import_module(f"tests.bench.{name}").figures():
            print(json.dumps(one), flush=True)
            yield one
    except Exception:  # noqa: BLE001 - a benchmark that breaks is a line of the report
        traceback.print_exc()
        print(json.dumps({"name": name, "value": None, "unit": "", "goal": None, "ok": False}), flush=True)
    finally:
        drop_database()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
