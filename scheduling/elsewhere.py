"""Asks the child that reads calendars of others, and waits no longer than it is worth."""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from scheduling.models import BusyState
from scheduling.spans import Span

HERE = Path(__file__).resolve().parent.parent
PATIENCE = 20.0  # seconds; the child's own limit is on its working time
KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "PYTHONTZPATH")  # of our environment: nothing that is secret


def busy_times(text: bytes, zone: str, since: datetime, until: datetime, *, patience: float = PATIENCE) -> tuple[BusyState, list[Span]]:
    """What is busy in that calendar between the two; TOO_BIG when the reading takes too much, BROKEN when it makes no sense."""
    head = json.dumps({"zone": zone, "since": since.timestamp(), "until": until.timestamp()}).encode()
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "scheduling.busy_times"],
            input=head + b"\n" + text,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=HERE,
            env=environment,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return BusyState.TOO_BIG, []
    return _understood(done.stdout, done.returncode)


def _understood(said: bytes, code: int) -> tuple[BusyState, list[Span]]:
    """A child that was ended, or that ran out of memory on its way, had too much to do."""
    if code != 0 or not said:
        return BusyState.TOO_BIG, []
    told = json.loads(said)
    return BusyState(told["state"]), [(int(start), int(end)) for start, end in told.get("spans", ())]
