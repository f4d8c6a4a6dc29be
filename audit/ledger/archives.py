"""Months of the ledger that are kept in sealed files: what an archive is, and reading it.

An archive is text under AES-256-GCM: a head (canonical JSON), one line for each entry in the order of the tree
(`entry LEAF MAC TEXT`), the tiles that prove them (`tile PATH BASE64`), and `end ENTRIES TILES`. Together with any
signed checkpoint of at least that size it proves each entry, also where the database is gone.
"""

import base64
import hashlib
import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol
from uuid import UUID

import orjson
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import Storage, storages
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from audit.ledger.chunks import Readable
from audit.ledger.models import Archive

UNREACHABLE = (OSError, BotoCoreError, ClientError)  # what storages raise when they cannot be asked


class ArchiveBroken(Exception):
    """An archive file is missing, or not what was archived. The message says which month and why."""


class ArchiveUnreachable(Exception):
    """The storage of archives does not answer: what lies there may be good. The message says what kind of error it was."""


Unread = Callable[[Archive, ArchiveBroken | ArchiveUnreachable], None]


class Cipher(Protocol):
    """Seals archives, in bounded memory; `settings.AUDIT_ARCHIVE_CIPHER` names it. Damage raises ArchiveBroken, a key that
    cannot be had now ArchiveUnreachable."""

    def seal(self, chunks: Iterable[bytes], bound_to: str) -> Iterator[bytes]: ...
    def unseal(self, source: Readable, bound_to: str) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Archived:
    """One entry out of an archive: where it stands in the tree, its canonical text, its MAC. Not judged yet."""

    leaf: int
    text: bytes
    mac: bytes

    @property
    def entry_id(self) -> UUID:
        return UUID(orjson.loads(self.text)["id"])


@cache
def cipher() -> Cipher:
    """The one that the settings name."""
    made: Cipher = import_string(settings.AUDIT_ARCHIVE_CIPHER)()
    return made


def storage() -> Storage:
    """Where archives lie."""
    return storages["archives"]


def archives() -> "QuerySet[Archive]":
    """Every month with entries that was archived, in the order of the tree."""
    return Archive.objects.filter(entries__gt=0).order_by("first_leaf")


def _raised(archive: Archive, error: ArchiveBroken | ArchiveUnreachable) -> None:
    raise error


def rows(first_leaf: int, last_leaf: int, unread: Unread = _raised) -> Iterator[Archived]:
    """The archived entries among these leaves (both included), in the order of the tree; a file is opened when its turn comes.

    A file that cannot be read, or not to its end, is told to `unread`, and what it does not give is missing here.
    """
    waiting = deque(archives().filter(first_leaf__lte=last_leaf, last_leaf__gte=first_leaf))
    months: list[tuple[int, int, Archived, Iterator[Archived]]] = []  # they overlap by what was committed late
    while waiting or months:
        while waiting and (not months or (waiting[0].first_leaf or 0) <= months[0][0]):
            _go_on(months, _readable(waiting.popleft(), unread))
        if not months:
            return
        leaf, _, row, month = heapq.heappop(months)
        if leaf > last_leaf:
            return
        if leaf >= first_leaf:
            yield row
        _go_on(months, month)


def _go_on(months: list[tuple[int, int, Archived, Iterator[Archived]]], month: Iterator[Archived]) -> None:
    row = next(month, None)
    if row is not None:
        heapq.heappush(months, (row.leaf, id(month), row, month))


def _readable(archive: Archive, unread: Unread) -> Iterator[Archived]:
    try:
        yield from entries_in(archive)
    except (ArchiveBroken, ArchiveUnreachable) as error:
        unread(archive, error)


def entry_of(entry_id: UUID) -> Archived | None:
    """The archived entry of this id, or None. Reads through its month: an archive is for proving, not for browsing."""
    needle = f'"id":"{entry_id}"'.encode()
    for archive in archives():
        if archive.holds(entry_id):
            return next((row for row in entries_in(archive) if needle in row.text and row.entry_id == entry_id), None)
    return None


def entries_in(archive: Archive) -> Iterator[Archived]:
    """The entries of one month, in the order of the tree. Reading to the end checks that the file is the one that was archived."""
    for kind, rest in lines_in(archive):
        if kind == b"entry":
            leaf, code, text = rest.split(b" ", 2)
            yield Archived(int(leaf), text, bytes.fromhex(code.decode()))


def tiles_in(archive: Archive) -> Iterator[tuple[str, bytes]]:
    """(path, hashes) of the C2SP tiles that prove the month's entries."""
    for kind, rest in lines_in(archive):
        if kind == b"tile":
            path, hashes = rest.split(b" ", 1)
            yield path.decode(), base64.b64decode(hashes)


def head_of(archive: Archive) -> dict[str, Any]:
    """Month, origin, leaves, and the signed checkpoint (`checkpoint`) whose tree the tiles are of."""
    for kind, rest in lines_in(archive):
        if kind == b"head":
            return dict(orjson.loads(rest))
    raise ArchiveBroken(f"{archive}: no head")


def lines_in(archive: Archive) -> Iterator[tuple[bytes, bytes]]:
    """(kind, rest) of each line, or ArchiveBroken."""
    digest = hashlib.sha256()
    for line in _lines(archive, digest):
        kind, _, rest = line.partition(b" ")
        yield kind, rest
    if digest.digest() != bytes(archive.sha256):
        raise ArchiveBroken(f"{archive}: not what was archived")


def digest_of(place: str, month: str) -> bytes:
    """SHA-256 of what a file holds, read to its end: what was written can be read again."""
    digest = hashlib.sha256()
    for chunk in _chunks(place, month):
        digest.update(chunk)
    return digest.digest()


def bound_to(month: str) -> str:
    """What an archive is sealed for: another log's, or another month's, does not open in its place."""
    return f"{settings.AUDIT_ORIGIN} {month}"


def _lines(archive: Archive, digest: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in _chunks(archive.place, str(archive)):
        digest.update(chunk)
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        raise ArchiveBroken(f"{archive}: ends within a line")


def _chunks(place: str, month: str) -> Iterator[bytes]:
    try:
        source = storage().open(place, "rb")
    except FileNotFoundError:
        raise ArchiveBroken(f"{month}: {place} is gone") from None
    except (IsADirectoryError, NotADirectoryError, SuspiciousOperation):  # of the owner's making: no outage gives these
        raise ArchiveBroken(f"{month}: {place} is no archive's place") from None
    except UNREACHABLE as error:
        raise ArchiveUnreachable(f"{month}: {type(error).__name__}") from error
    with source:
        try:
            yield from cipher().unseal(source, bound_to(month))
        except UNREACHABLE as error:
            raise ArchiveUnreachable(f"{month}: {type(error).__name__}") from error
