"""Keeping a handful of child processes alive, and ending them all."""

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from config.embedded.process import ServiceError, spawn, stop, tail

PATIENCE: Final = 4  # deaths within a minute, then we give up
CALM: Final = 60.0  # seconds
FIRST_PAUSE: float = 0.5  # seconds before a restart, doubled by each further death


class Service(Protocol):
    """What is kept alive: an embedded server, or one of our own processes."""

    @property
    def name(self) -> str: ...

    @property
    def log(self) -> Path: ...

    @property
    def child(self) -> subprocess.Popen[bytes] | None: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class Process:
    """One of our own processes, writing to a log of its own."""

    name: str
    argv: Sequence[str | Path]
    log: Path
    env: Mapping[str, str]
    cwd: Path
    child: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        self.child = spawn(self.argv, log=self.log, env=dict(self.env), cwd=self.cwd)

    def stop(self) -> None:
        if self.child is not None:
            stop(self.child, timeout=8)


@dataclass
class _Watched:
    service: Service
    deaths: list[float] = field(default_factory=list)
    due: float | None = None  # when to start it again


class Supervisor:
    """Starts services in order, restarts those that die, ends them in reverse order."""

    def __init__(self) -> None:
        self._watched: list[_Watched] = []

    def start(self, service: Service) -> None:
        """Start it now and watch over it from now on; it is ended even when its start fails."""
        self._watched.append(_Watched(service))
        service.start()

    def check(self) -> None:
        """Restart what has died, a little later each time; raise ServiceError for what keeps dying."""
        for watched in self._watched:
            child = watched.service.child
            if watched.due is not None:
                if time.monotonic() >= watched.due:
                    watched.due = None
                    watched.service.start()
            elif child is not None and child.poll() is not None:
                self._died(watched, child.returncode)

    def _died(self, watched: _Watched, code: int) -> None:
        service, moment = watched.service, time.monotonic()
        service.stop()  # its own children, if it left any
        watched.deaths = [death for death in watched.deaths if moment - death < CALM] + [moment]
        if len(watched.deaths) >= PATIENCE:
            raise ServiceError(f"{service.name} keeps failing ({_ending(code)}): {tail(service.log) or 'no output'} (see {service.log})")
        watched.due = moment + FIRST_PAUSE * 2 ** (len(watched.deaths) - 1)

    def stop(self) -> None:
        """End everything that was started: our processes all at once, then the servers that they need, last first."""
        processes = [watched.service for watched in self._watched if isinstance(watched.service, Process)]
        for process in processes:
            if process.child is not None and process.child.poll() is None:
                process.child.send_signal(signal.SIGTERM)
        for process in processes:
            process.stop()
        for watched in reversed(self._watched):
            watched.service.stop()
        self._watched.clear()


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
