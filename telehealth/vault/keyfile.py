"""Files with key material: read only when nobody but their owner may, replaced whole or not at all."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Mark = tuple[int, ...]


class NotPrivate(OSError):
    """The file can be read or written by others than its owner, or its owner is neither us nor root."""


def mark(path: Path) -> Mark:
    """What tells one state of the file from another; OSError when it is not there."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def read(path: Path) -> bytes:
    """Its content. NotPrivate unless its mode is 0600 or narrower: what was opened is looked at, not what its name means later."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        if stat.S_IMODE(found.st_mode) & 0o177 or found.st_uid not in (os.geteuid(), 0):
            raise NotPrivate("wider than 0600")
        return file.read()


def write(path: Path, content: bytes) -> None:
    """Replace it, readable by its owner alone, on disk before this returns."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One writer at a time, on this machine; the kernel lets go when the process dies."""
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
