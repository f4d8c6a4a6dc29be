"""The supervisor: what dies is started again, what keeps dying ends the run, nothing outlives it."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import supervisor as supervising
from config.embedded.process import ServiceError
from config.supervisor import Process, Supervisor
from tests.live import alive

SLEEPS = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
PARENT = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', sys.argv[1]]); print(child.pid, flush=True); child.wait()"


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    made = Supervisor()
    yield made
    made.stop()


def process(tmp_path: Path, code: str, *arguments: str) -> Process:
    return Process("thing", [sys.executable, "-c", code, *arguments], tmp_path / "thing.log", dict(os.environ), tmp_path)


def wait_for(supervisor: Supervisor, condition: object, seconds: float = 20) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        supervisor.check()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_dies_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    thing = process(tmp_path, SLEEPS)
    supervisor.start(thing)
    assert thing.child is not None
    first = thing.child.pid
    thing.child.send_signal(signal.SIGKILL)

    wait_for(supervisor, lambda: thing.child is not None and thing.child.pid != first and thing.child.poll() is None)


def test_what_keeps_dying_ends_the_run_with_its_last_words(supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "FIRST_PAUSE", 0.01)
    supervisor.start(process(tmp_path, "import sys; sys.exit('no such table')"))

    with pytest.raises(ServiceError, match=r"thing keeps failing \(exit code 1\): no such table"):
        wait_for(supervisor, lambda: False)


def test_the_end_reaches_grandchildren_too(supervisor: Supervisor, tmp_path: Path) -> None:
    thing = process(tmp_path, PARENT, DEAF)
    supervisor.start(thing)
    wait_for(supervisor, lambda: thing.log.read_text().count("\n") == 2)
    grandchild = int(thing.log.read_text().split()[0])

    supervisor.stop()

    wait_for(supervisor, lambda: not alive(grandchild))
