"""Taking an expired month out of the database, by the owner: archived, read back, on record; then detached; dropped only when told.

Nothing that does not fit is archived: each entry's MAC and leaf must be right, and each tile must lead to the root of a
signed checkpoint that was published. So an archive never launders what was done to the month before.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.db import connections, transaction

from audit.ledger import archives
from audit.ledger.acts import Act
from audit.ledger.chunks import as_file
from audit.ledger.entries import canonical, detail_text, text_sql
from audit.ledger.keys import mac
from audit.ledger.models import Archive
from audit.ledger.retention import years
from audit.ledger.sealing import leaf_of
from audit.ledger.units import current, write
from audit.tlog.merkle import root_of
from audit.tlog.notes import BadCheckpoint, Head, opened
from audit.tlog.proofs import subtree
from audit.tlog.reading import TileReader, Unpublished
from audit.tlog.tiles import WIDTH, tile_path

OWNER = "owner"
LOCK_KEY = 0x7E1E_5EA2  # one archiving at a time
Progress = Callable[[int], None]

_MONTHS = """
    SELECT c.relname, inhdetachpending FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
    WHERE inhparent = 'audit_entry'::regclass ORDER BY c.relname
"""
_EXPIRED = "SELECT %s::date + interval '1 month' + make_interval(years => %s) <= now()"
_COUNTS = """
    SELECT count(*), count(l.leaf_index), min(l.leaf_index), max(l.leaf_index),
        (SELECT count(*) FROM audit_leaf WHERE entry_id >= audit_id_at(%s) AND entry_id < audit_id_at(%s)),
        (SELECT count(*) = COALESCE(max(leaf_index) + 1, 0) FROM audit_leaf)
    FROM audit_entry e LEFT JOIN audit_leaf l ON l.entry_id = e.id WHERE e.id >= audit_id_at(%s) AND e.id < audit_id_at(%s)
"""
_ENTRIES = f"""
    DECLARE archiving NO SCROLL CURSOR FOR SELECT l.leaf_index, {text_sql("e")}, e.mac
    FROM audit_entry e JOIN audit_leaf l ON l.entry_id = e.id
    WHERE e.id >= audit_id_at(%s) AND e.id < audit_id_at(%s) ORDER BY l.leaf_index
"""  # noqa: S608  # built from our own column names
_ARCHIVED = "INSERT INTO audit_archive (month, first_leaf, last_leaf, entries, sha256, place) VALUES (%s, %s, %s, %s, %s, %s)"


class NotArchivable(Exception):
    """The month stays where it is; the message says why."""


def table_of(month: date) -> str:
    """The partition's name."""
    return f"audit_entry_{month:%Y_%m}"


def partitions() -> dict[date, bool]:
    """Months that are part of the ledger's table → whether their detaching was begun and not ended."""
    found = {}
    for name, pending in _query(_MONTHS):
        if match := re.fullmatch(r"audit_entry_(\d{4})_(\d\d)", name):
            found[date(int(match[1]), int(match[2]), 1)] = bool(pending)
    return found


def expired() -> list[date]:
    """Months of the table that have been kept for as long as they must be, oldest first."""
    return [month for month in sorted(partitions()) if _is_expired(month)]


def _is_expired(month: date) -> bool:
    return bool(_query(_EXPIRED, [month, years()])[0][0])


def archive(month: date, reader: TileReader, progress: Progress = lambda count: None) -> Archive:
    """The month's archive: made now, or made before by a run that was interrupted. NotArchivable, and nothing has changed."""
    if not _is_expired(month):
        raise NotArchivable(f"{month:%Y-%m} is kept for {years()} years")
    if not _query("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])[0][0]:
        raise NotArchivable("another archive_audit is at work")
    try:
        return Archive.objects.filter(month=month).first() or _make(month, reader, progress)
    finally:
        _query("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])


def detach(archive: Archive) -> bool:
    """Take the month out of the ledger's table, beside readers and writers; whether it still was in it.

    Only while its archive can be read. What an interrupted run has begun is ended.
    """
    pending = partitions().get(archive.month)
    if pending is None:
        return False
    _still_good(archive)
    how = "FINALIZE" if pending else "CONCURRENTLY"
    with connections[OWNER].cursor() as cursor:
        cursor.execute(f"ALTER TABLE audit_entry DETACH PARTITION {table_of(archive.month)} {how}")
    return True


def drop(archive: Archive) -> bool:
    """Drop the detached table, while its archive can be read; whether there was one."""
    name = table_of(archive.month)
    if archive.month in partitions() or not _query("SELECT to_regclass(%s) IS NOT NULL", [name])[0][0]:
        return False
    _still_good(archive)
    with connections[OWNER].cursor() as cursor:
        cursor.execute(f"DROP TABLE {name}")
    return True


def _still_good(archive: Archive) -> None:
    if archives.digest_of(archive.place, str(archive)) != bytes(archive.sha256):
        raise NotArchivable(f"the archive of {archive} is not what was archived")


def _make(month: date, reader: TileReader, progress: Progress) -> Archive:
    place = f"{month:%Y-%m}-{secrets.token_hex(4)}.audit"
    with transaction.atomic(using=OWNER):
        _query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        making = _Making(month, reader, *_measured(month), progress=progress)
        sealed = archives.cipher().seal(making.chunks(), archives.bound_to(f"{month:%Y-%m}"))
        try:
            place = archives.storage().save(place, File(as_file(sealed)))
        except archives.UNREACHABLE as error:
            raise NotArchivable(f"the storage of archives does not take it: {type(error).__name__}") from error
    written = making.digest.digest()
    if archives.digest_of(place, f"{month:%Y-%m}") != written:
        raise NotArchivable(f"{place} cannot be read back as it was written")
    with transaction.atomic(using=OWNER):
        _put_on_record(making, written)
        _query(_ARCHIVED, [month, making.first, making.last, making.count, written, place])
    return Archive.objects.get(month=month)


def _measured(month: date) -> tuple[int, int | None, int | None]:
    """(entries, first leaf, last leaf), when the month is whole and wholly sealed."""
    following = (month + timedelta(days=32)).replace(day=1)
    bounds = [f"{month} 00:00+00", f"{following} 00:00+00"]
    entries, sealed, first, last, leaves, gapless = _query(_COUNTS, [*bounds, *bounds])[0]
    if entries != sealed:
        raise NotArchivable(f"{entries - sealed} entries of {month:%Y-%m} are not sealed")
    if leaves != entries or not gapless:
        raise NotArchivable(f"entries of {month:%Y-%m} or leaves are missing: run verify_audit")
    return entries, first, last


def _put_on_record(making: "_Making", digest: bytes) -> None:
    leaves = {} if making.first is None else {"first_leaf": making.first, "last_leaf": making.last}
    detail = {"entries": making.count, "month": f"{making.month:%Y-%m}", "sha256": digest.hex(), **leaves}
    here = current()
    write(here, [here.row(Act.LEDGER_ARCHIVED, action=0, kind="audit.Archive", detail=detail_text(detail))], using=OWNER)


@dataclass
class _Making:
    """One archive on its way out: lines that were checked, digested as they go."""

    month: date
    reader: TileReader
    count: int
    first: int | None
    last: int | None
    progress: Progress
    digest: Any = field(default_factory=hashlib.sha256)

    def chunks(self) -> Iterator[bytes]:
        for line in self._lines():
            self.digest.update(line)
            yield line

    def _lines(self) -> Iterator[bytes]:
        note, head = self._head()
        leaves = {"first_leaf": self.first, "last_leaf": self.last}
        facts = {"checkpoint": note, "entries": self.count, "month": f"{self.month:%Y-%m}", "origin": settings.AUDIT_ORIGIN, **leaves}
        yield b"head " + canonical(facts) + b"\n"
        for leaf, text, code in self._entries():
            self._check(leaf, text.encode(), bytes(code), head.size)
            yield b"entry %d %s %s\n" % (leaf, bytes(code).hex().encode(), text.encode())
        tiles = 0
        for tiles, (path, hashes) in enumerate(self._tiles(head.size), 1):  # noqa: B007  # the number of the last one is told
            yield b"tile %s %s\n" % (path.encode(), base64.b64encode(hashes))
        yield b"end %d %d\n" % (self.count, tiles)

    def _head(self) -> tuple[str, Head]:
        """The newest checkpoint, when the published tiles are of its tree."""
        try:
            note = self.reader.checkpoint()
            head = opened(note, settings.AUDIT_ORIGIN, self.reader.public_key())
            root = subtree(0, head.size, self.reader.nodes(head.size))
        except (BadCheckpoint, Unpublished) as error:
            raise NotArchivable(f"no checkpoint to archive under: {error}") from error
        if root != head.root or (self.last or 0) >= max(head.size, 1):
            raise NotArchivable("the published tiles are not of the newest checkpoint: run verify_audit")
        return note, head

    def _entries(self) -> Iterator[Sequence[Any]]:
        following = (self.month + timedelta(days=32)).replace(day=1)
        done = 0
        with connections[OWNER].cursor() as cursor:
            cursor.execute(_ENTRIES, [f"{self.month} 00:00+00", f"{following} 00:00+00"])
            while True:
                cursor.execute("FETCH 5000 FROM archiving")
                rows = cursor.fetchall()
                yield from rows
                done += len(rows)
                self.progress(done)
                if len(rows) < 5_000:
                    break
        if done != self.count:
            raise NotArchivable(f"{self.month:%Y-%m} changed while it was read")

    def _check(self, leaf: int, text: bytes, code: bytes, size: int) -> None:
        if not compare_digest(mac(text), code) or leaf_of(text, code) != self.reader.leaf(leaf, size):
            raise NotArchivable(f"the entry at leaf {leaf} does not fit: run verify_audit")

    def _tiles(self, size: int) -> Iterator[tuple[str, bytes]]:
        """From the leaves up: every tile above an entry of the month, and the right edge of the tree, without which no root."""
        level = 0
        while (width := size >> 8 * level) and self.first is not None and self.last is not None:
            edge = {(width - 1) // WIDTH}
            for index in sorted({*range(self.first >> 8 * (level + 1), (self.last >> 8 * (level + 1)) + 1), *edge}):
                yield self._tile(level, index, size)
            level += 1

    def _tile(self, level: int, index: int, size: int) -> tuple[str, bytes]:
        count = min((size >> 8 * level) - index * WIDTH, WIDTH)
        hashes = [self.reader.node(8 * level, index * WIDTH + at, size) for at in range(count)]
        if count == WIDTH and root_of(hashes) != self.reader.node(8 * (level + 1), index, size):
            raise NotArchivable(f"tile {level}/{index} is not of the newest checkpoint's tree")
        return tile_path(level, index, count), b"".join(hashes)


def _query(statement: str, parameters: Sequence[Any] | None = None) -> list[Any]:
    """As the owner."""
    with connections[OWNER].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []
