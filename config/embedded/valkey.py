"""The embedded Valkey: one Unix socket, nothing on the disk, ended with us."""

import contextlib
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import redis

from config import home as homes
from config.embedded import place
from config.embedded.process import ServiceError, end_orphans, spawn, stop, tail

START_LIMIT: Final = 15  # seconds


@dataclass
class Valkey:
    """One server of one home. What is in it may be lost at any time: PostgreSQL holds the truth."""

    home: homes.Home
    child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    name: str = field(default="valkey", init=False)

    def __post_init__(self) -> None:
        sockets = place.owned(place.socket_directory(self.home.root, place.account()) / "v", None)
        self.socket = sockets / "valkey.sock"
        self.log = self.home.logs / "valkey.log"

    def start(self) -> None:
        """Bring the server up, or raise ServiceError with one line. The caller holds the home."""
        # Its process title names the socket; the mark alone would not be in the title.
        end_orphans("valkey-server", str(self.socket), signal.SIGTERM)
        self.socket.unlink(missing_ok=True)
        argv: list[str | Path] = [place.valkey_program(), "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "600"]
        argv += ["--save", "", "--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"]
        self.child = spawn(argv, log=self.log, cwd=self.socket.parent)
        self._await_ready()

    def stop(self) -> None:
        """End the server."""
        if self.child is not None:
            stop(self.child)

    @property
    def url(self) -> str:
        """The address as redis-py reads it."""
        return f"unix://{quote(str(self.socket), safe='/')}"

    def _await_ready(self) -> None:
        assert self.child is not None  # noqa: S101 - set by start
        deadline = time.monotonic() + START_LIMIT
        while self.child.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(redis.ConnectionError), redis.Redis.from_url(self.url) as client:
                client.ping()
                return
            time.sleep(0.02)
        self.stop()
        raise ServiceError(f"Valkey does not start: {tail(self.log)} (see {self.log})")
