"""The complete clinic as `make run` starts it, and a browser to visit it with."""

import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from config import home as homes
from config.env import BASE_DIR
from tests import chromium as browsers

OURS = {*homes.KEYS, *homes.URL_OF.values(), "REDIS_URL", "PHARMACY_NETWORK_URL", "CATCHER_URL", "PUBLIC_URL", "ALLOWED_HOSTS"}
START_LIMIT = 180.0  # seconds, on a machine that does much else


@dataclass
class Live:
    """A running clinic: where it is, where it keeps things, who may sign in."""

    url: str
    home: homes.Home
    process: subprocess.Popen[str]
    ready: str

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def sign_ins(self) -> list[dict[str, Any]]:
        """The demonstration's people: role, email, password, totp_secret, name."""
        people: list[dict[str, Any]] = json.loads(self.home.demo.read_text())["sign_ins"]
        return people

    def sign_in(self, key: str) -> dict[str, Any]:
        """One of them by the first part of the e-mail address: cho, desk, nurse, admin, privacy, ..."""
        return next(person for person in self.sign_ins if person["email"].startswith(f"{key}@"))

    def manage(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a management command beside it, as an operator would."""
        command = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
        return subprocess.run(command, env=environment(self.home.root), capture_output=True, text=True, timeout=timeout, check=False)


def environment(home: Path, **more: str) -> dict[str, str]:
    """The machine's environment without the suite's own settings, for a home of its own."""
    kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in OURS}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    return kept | {"TELEHEALTH_HOME": str(home)} | more


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has reaped yet does not."""
    if not Path("/proc/self/stat").exists():
        listing = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
        return bool(listing) and not listing.startswith("Z")
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


@contextmanager
def place(name: str = "home") -> Iterator[Path]:
    """A temporary directory that the account of PostgreSQL can reach, unlike pytest's own when we are root."""
    root = Path(tempfile.mkdtemp(prefix="telehealth-live-"))
    root.chmod(0o711)
    try:
        yield root / name
    finally:
        shutil.rmtree(root, ignore_errors=True)


def start(home: Path, port: int, **more: str) -> subprocess.Popen[str]:
    """`make run`, without make."""
    command = [sys.executable, "-m", "config.run"]
    settings = environment(home, **{"PORT": str(port)} | more)
    return subprocess.Popen(
        command, cwd=BASE_DIR, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0
    )


def ready_line(process: subprocess.Popen[str]) -> str:
    """The line that says where it is; AssertionError with its output when it ends or takes too long."""
    output, deadline = "", time.monotonic() + START_LIMIT
    assert process.stdout is not None
    while time.monotonic() < deadline:
        line = _line_within(process.stdout, deadline - time.monotonic())
        output += line
        if "is ready" in line:
            return line
        if not line and process.poll() is not None:
            break
    raise AssertionError(f"the clinic does not start: {output}")


def _line_within(stream: IO[str], seconds: float) -> str:
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return stream.readline() if selector.select(seconds) else ""


def end(process: subprocess.Popen[str]) -> int:
    """SIGTERM, and its exit code."""
    process.terminate()
    try:
        return process.wait(30)
    finally:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def running(home: Path, **more: str) -> Iterator[Live]:
    """A clinic in that home, until the block ends."""
    port = free_port()
    process = start(home, port, **more)
    try:
        yield Live(url=f"http://localhost:{port}", home=homes.Home(home), ready=ready_line(process), process=process)
    finally:
        code = end(process)
    assert code == 0


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """One clinic for all tests that visit a running one; they share its data."""
    with place() as home, running(home) as clinic:
        yield clinic


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium with a made-up camera and microphone. While it is open, the ORM cannot be used in the same test."""
    path = browsers.executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=browsers.FLAGS)
        yield browser
        browser.close()
