"""Chunks as a file: what a storage that wants to read is given, one chunk in memory at a time."""

import io
from collections.abc import Iterable
from typing import Any, Protocol

BUFFER = 1 << 20


class Readable(Protocol):
    """What reading needs of a file."""

    def read(self, size: int = -1, /) -> bytes: ...


class _Raw(io.RawIOBase):
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = memoryview(next(self._chunks))
            except StopIteration:
                return 0
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def as_file(chunks: Iterable[bytes]) -> io.BufferedReader:
    """A file to read once, from front to back."""
    return io.BufferedReader(_Raw(chunks), BUFFER)


def exactly(source: Readable, size: int) -> bytes:
    """So many bytes, fewer only where the file ends: a storage may hand out less at a time."""
    parts: list[bytes] = []
    while size > 0 and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
