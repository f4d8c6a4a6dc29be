"""The sealer as a process of its own, over the test database."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from audit.ledger.models import Leaf
from config import env


def start_sealer(home: Path, *, every: str = "0.05", log: Any = None) -> "subprocess.Popen[bytes]":
    """`manage.py seal_audit`, publishing in `home`/checkpoints."""
    settings = connection.settings_dict
    url = f"postgresql:///{settings['NAME']}?host={settings['HOST']}&user={settings['USER']}"
    environment = {**os.environ, "DATABASE_URL": url, "TELEHEALTH_HOME": str(home)}
    if settings["PORT"]:
        environment["DATABASE_URL"] += f"&port={settings['PORT']}"
    return subprocess.Popen([sys.executable, "manage.py", "seal_audit", "--every", every], cwd=env.BASE_DIR, env=environment, stderr=log)


@contextmanager
def sealing(home: Path, *, every: str = "0.4") -> Iterator["subprocess.Popen[bytes]"]:
    """At work until the block ends, then asked to end."""
    process = start_sealer(home, every=every)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def wait_until_sealed(ids: list[Any], seconds: float = 40) -> None:
    """Poll the table the sealer writes to: it has no other way to say that it is done."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.05)):
        if Leaf.objects.filter(entry_id__in=ids).count() == len(ids):
            return
        pause.wait(0.05)
    raise AssertionError("not sealed")
