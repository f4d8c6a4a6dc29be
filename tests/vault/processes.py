"""Processes of their own on the test's database."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connections

ROOT = Path(__file__).parents[2]
Tell = Callable[[str], str]


def environment() -> dict[str, str]:
    """Ours, with both roles turned to the test's database."""
    name = str(connections["default"].settings_dict["NAME"])
    urls = {key: urlunsplit(urlsplit(os.environ[key])._replace(path="/" + name)) for key in ("DATABASE_URL", "MIGRATION_DATABASE_URL")}
    return {**os.environ, **urls, "VAULT_KEYRING_FILE": str(settings.VAULT_KEYRING_FILE)}


def manage(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment(), text=True, stdout=subprocess.PIPE)


@contextmanager
def other(record: object) -> Iterator[Tell]:
    """tell("read") -> what another process answers."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.vault.other_process", str(record)],
        cwd=ROOT,
        env=environment(),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin and process.stdout

        def tell(line: str) -> str:
            assert process.stdin and process.stdout
            if line:
                process.stdin.write(line + "\n")
                process.stdin.flush()
            return str(json.loads(process.stdout.readline()))

        assert tell("") == "ready"
        yield tell
        process.stdin.close()
        process.wait(timeout=30)
