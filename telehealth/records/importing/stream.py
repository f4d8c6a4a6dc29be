"""Bytes to entries, never holding more than one entry: what is malformed or nested too deep stops here."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson

from telehealth.records.errors import MalformedBundle, NotATransaction, TooDeep

DEEPEST = 64  # levels; real resources stay below 20
CHUNK = 64 * 1024

STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
REST_OF_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
LONG_NUMBER = re.compile(rb"[0-9]{200}")  # the C parser dies of an integer of 4,301 digits
NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Guarded:
    """A reader that refuses what a parser must not see: documents nested too deep, numbers of hundreds of digits."""

    def __init__(self, source: BinaryIO) -> None:
        self.source = source
        self.depth = 0
        self.in_string = False
        self.held = b""  # a backslash whose partner is in the next chunk

    def read(self, size: int = -1) -> bytes:
        """The next bytes as they are; or TooDeep, or MalformedBundle."""
        chunk = self.source.read(size)
        self._look(self.held + chunk)
        return chunk

    def _look(self, data: bytes) -> None:
        trailing = len(data) - len(data.rstrip(b"\\"))
        self.held = b"\\" if trailing % 2 else b""
        data = data[: len(data) - trailing % 2]
        if self.in_string:
            end = REST_OF_STRING.match(data).end()  # type: ignore[union-attr]  # matches the empty string as well
            self.in_string = end == len(data)
            data = data[end + 1 :]
        outside, quote, _ = STRING.sub(b"", data).partition(b'"')
        self.in_string = self.in_string or bool(quote)
        if LONG_NUMBER.search(outside):
            raise MalformedBundle()
        self._count(outside.translate(None, NOT_BRACKETS))

    def _count(self, brackets: bytes) -> None:
        for bracket in brackets:
            self.depth += 1 if bracket in b"[{" else -1
            if self.depth > DEEPEST:
                raise TooDeep(levels=DEEPEST)


def check_kind(source: BinaryIO) -> None:
    """Raise unless this is a well-formed Bundle of type transaction, nested no deeper than allowed."""
    kind = _first(Guarded(_rewound(source)), "resourceType")
    purpose = _first(_rewound(source), "type")
    if (kind, purpose) != ("Bundle", "transaction"):
        raise NotATransaction()


def entries(source: BinaryIO) -> Iterator[dict[str, Any]]:
    """The entries in order, each with a resource of a named type; raises MalformedBundle. Numbers keep their digits."""
    for entry in _items(_rewound(source), "entry.item"):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        url = entry.get("fullUrl", "") if isinstance(entry, dict) else None
        if not isinstance(kind, str) or not isinstance(url, str) or not url.isprintable():
            raise MalformedBundle()
        yield entry


def _first(source: Any, prefix: str) -> Any:
    found = list(_items(source, prefix))  # to the end: the whole document must be well formed
    return found[0] if len(found) == 1 else None


def _items(source: Any, prefix: str) -> Iterator[Any]:
    try:
        yield from ijson.items(source, prefix, buf_size=CHUNK)
    except (ijson.JSONError, UnicodeError, ValueError, ArithmeticError):
        raise MalformedBundle() from None  # the parser's own message quotes the input


def _rewound(source: BinaryIO) -> BinaryIO:
    source.seek(0)
    return source
