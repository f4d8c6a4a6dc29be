"""The servers' own words: an exception is told by type and place, and nothing of its text, by whichever process it ends in."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from config.env import BASE_DIR
from tests.core.broken import CANARY, app, fail
from tests.live import free_port


@contextmanager
def running(command: list[str], said: Path, **more: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A server process; what it says goes to the file."""
    with said.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=BASE_DIR, env={**os.environ, **more}, stdout=file, stderr=subprocess.STDOUT, process_group=0
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def until(said: Path, word: str) -> str:
    """What has been said once the word is there."""
    deadline = time.monotonic() + 60
    while word not in (text := said.read_text()):
        assert time.monotonic() < deadline, text
        time.sleep(0.05)
    return text


def ask(port: int, path: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10)
            return
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        except httpx.TransportError:
            return  # the body broke off, as it should


SERVE = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; from config import serve; serve.{}('tests.core.broken:{}')"


@pytest.mark.parametrize(("side", "paths"), [("http", ["/at-once", "/in-the-middle"]), ("ws", ["/"])])
def test_the_web_servers(side: str, paths: list[str], tmp_path: Path) -> None:
    port, said = free_port(), tmp_path / "said"
    call = SERVE.format(side, {"http": "wsgi", "ws": "asgi"}[side])
    with running([sys.executable, "-c", call], said, PORT=str(port), WORKERS="1", PYTHONPATH=str(BASE_DIR)):
        for path in paths:
            ask(port, path)
        until(said, "xception")
    text = said.read_text()
    assert "ValueError" in text or side == "http", text  # granian tells no type
    assert CANARY not in text, text


def test_a_worker_tells_no_arguments_no_exceptions_and_nothing_that_a_task_prints(tmp_path: Path) -> None:
    said = tmp_path / "said"
    queue = f"broken-{free_port()}"
    command = [sys.executable, "-m", "celery", "-A", "tests.core.broken:app", "worker", "--loglevel", "INFO", "--concurrency", "1"]
    with running([*command, "-Q", queue, "--without-gossip", "--without-mingle", "--without-heartbeat"], said):
        fail.apply_async(args=(f"{CANARY}-printed",), queue=queue, ignore_result=True)
        text = until(said, "tests.core.broken.fail")
        text = until(said, "ValueError")
    assert CANARY not in text, text
    assert "KeyError" in text, text
    assert app.conf.worker_hijack_root_logger is False


def test_an_exception_that_nobody_catches() -> None:
    call = f"import django; django.setup(); raise ValueError({CANARY!r})"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run([sys.executable, "-c", call], cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ValueError at <module>" in done.stderr
    assert CANARY not in done.stderr
