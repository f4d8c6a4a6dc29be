"""`python -m tests.records.measured FILE ACCOUNT`: import a file in a process of its own; prints what it cost as JSON."""

import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import django
from django.core.management import call_command

from tests.records.bundles import bundle, observation, patient


def peak() -> int:
    """The most memory that this process has had, in kB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def run(file: str, account: str) -> None:
    call_command("import_bundle", file, account=account, stdout=io.StringIO())


def main(file: str, account: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as small:
        vera = patient()
        json.dump(bundle(vera, *(observation(vera) for _ in range(250))), small)
        small.flush()
        run(small.name, account)  # what every import needs is in memory now
    before, started = peak(), time.monotonic()
    run(file, account)
    sys.stdout.write(json.dumps({"kb": peak() - before, "seconds": time.monotonic() - started}))


if __name__ == "__main__":
    main(*sys.argv[1:])
