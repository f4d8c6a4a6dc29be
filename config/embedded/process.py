"""Starting and stopping child processes so that none outlives us and none but ours is touched."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

PR_SET_PDEATHSIG: Final = 1
_libc: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ServiceError(Exception):
    """A service cannot be started; the message is one line for the operator."""


def spawn(
    argv: Sequence[str | Path],
    *,
    log: Path | None,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    account: pwd.struct_passwd | None = None,
    on_parent_death: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in its own process group, out of reach of the terminal's Ctrl-C, that ends when we die.

    Without a log it writes where we write.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600) if log else None
    try:
        return subprocess.Popen(  # noqa: S603 - fixed binaries, argv and no shell
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env=env,
            cwd=cwd,
            process_group=0,
            umask=0o077,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_die_with(os.getpid(), on_parent_death),
        )
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _die_with(parent: int, number: signal.Signals) -> Callable[[], None] | None:
    libc = _libc
    if libc is None:
        return None

    def bind() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # the parent died between fork and prctl
            os._exit(1)

    return bind


def stop(child: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM, timeout: float = 10) -> None:
    """Ask the child's process group to end, and kill it when it does not within the time limit (seconds)."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            child.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)  # what the child itself left behind
    child.wait()


def tail(log: Path, lines: int = 1) -> str:
    """The last lines of a log, for an error message."""
    try:
        return " / ".join(log.read_text(errors="replace").strip().splitlines()[-lines:])
    except OSError:
        return ""


def named(comm: str, mark: str) -> list[int]:
    """Live processes with this program name whose command line carries this mark."""
    if sys.platform != "linux":
        return _named_by_ps(comm, mark)
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "comm").read_text().strip() == comm and mark.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def _named_by_ps(comm: str, mark: str) -> list[int]:
    ps = shutil.which("ps") or "/bin/ps"
    listing = subprocess.run([ps, "-axo", "pid=,command="], capture_output=True, text=True, check=False).stdout  # noqa: S603 - fixed
    rows = (line.split(None, 1) for line in listing.splitlines())
    return [int(row[0]) for row in rows if len(row) == 2 and comm in row[1].split(None, 1)[0] and mark in row[1]]


def end_orphans(comm: str, mark: str, number: signal.Signals, timeout: float = 15) -> None:
    """End what an earlier run of this same home left behind; the caller holds the home."""
    for pid in named(comm, mark):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
    deadline = time.monotonic() + timeout
    while named(comm, mark):
        if time.monotonic() > deadline:
            raise ServiceError(f"a {comm} of an earlier run (process {named(comm, mark)[0]}) does not end")
        time.sleep(0.05)
