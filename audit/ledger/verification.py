"""Verification: recompute every MAC, leaf, root and signature, and name the first entry that does not fit.

Trust comes from outside the database: the MAC key, the checkpoint key, and the checkpoints and tiles on disk (or
kept elsewhere). Whatever the owner of the database edits, deletes, inserts or reorders, something of these differs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from audit.ledger.entries import text_sql
from audit.ledger.keys import mac
from audit.ledger.sealing import leaf_of
from audit.tlog.merkle import EMPTY_ROOT, Peaks
from audit.tlog.notes import BadCheckpoint, Head, opened
from audit.tlog.reading import TileReader

Progress = Callable[[int], None]

_SEALED = f"""
    SELECT l.leaf_index, l.entry_id, l.leaf_hash, {text_sql("e")}, e.mac, e.id IS NOT NULL
    FROM audit_leaf l LEFT JOIN audit_entry e ON e.id = l.entry_id ORDER BY l.leaf_index
"""  # noqa: S608  # our own names
_UNSEALED = f"""
    SELECT e.id, {text_sql("e")}, e.mac, e.xid < COALESCE(%s, '0')::xid8
    FROM audit_entry e WHERE NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = e.id) ORDER BY e.id
"""  # noqa: S608  # our own names


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that does not fit: its kind, and the entry (or tree size) it was found at."""

    kind: str
    entry: str
    index: int | None = None


@dataclass(slots=True)
class Report:
    """What a verification saw. `ok` is the verdict; the first of `damages` is the first bad entry."""

    entries: int = 0
    unsealed: int = 0
    tree_size: int = 0
    root: str = EMPTY_ROOT.hex()
    checkpoints: int = 0
    damages: list[Damage] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.damages


class Verifier:
    """One pass over the leaves in order, beside the heads that the tree must have had on the way."""

    def __init__(self, against: Path | None = None, public_key: bytes | None = None) -> None:
        self.home = against or settings.AUDIT_CHECKPOINTS
        self.public_key = public_key or bytes.fromhex(_read(self.home / "public-key"))
        self.report = Report()
        self.heads: dict[int, Head] = {}
        self.mark: str | None = None

    def run(self, progress: Progress = lambda count: None) -> Report:
        """Everything, in one snapshot of the database."""
        self._read_heads(TileReader(self.home).notes())
        published = max(self.heads, default=0)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            self._database_heads(cursor)
            self._leaves(cursor, published, progress)
            self._unsealed(cursor)
        return self.report

    def _read_heads(self, notes: Iterator[str]) -> None:
        for note in notes:
            try:
                head = opened(note, settings.AUDIT_ORIGIN, self.public_key)
            except BadCheckpoint as error:
                self._found(str(error), f"checkpoint {self.report.checkpoints}")
                continue
            self.report.checkpoints += 1
            known = self.heads.setdefault(head.size, head)
            if known.root != head.root:
                self._found("forked checkpoint", f"size {head.size}")

    def _database_heads(self, cursor: Any) -> None:
        cursor.execute("SELECT note, mark FROM audit_checkpoint ORDER BY tree_size")
        rows = cursor.fetchall()
        published = max(self.heads, default=0)
        self._read_heads(row[0] for row in rows)
        self.mark = rows[-1][1] if rows else None
        if not rows and published:
            self._found("rolled-back checkpoint", f"size {published}")

    def _leaves(self, cursor: Any, published: int, progress: Progress) -> None:
        peaks = Peaks()
        for row in _stream(cursor, _SEALED, []):
            self._leaf(peaks, row, published)
            if peaks.size % 5_000 == 0:
                progress(peaks.size)
        self.report.tree_size, self.report.root = peaks.size, peaks.root().hex()
        if peaks.size < max(self.heads, default=0):
            self._found("truncated tail", f"size {peaks.size}", peaks.size)

    def _leaf(self, peaks: Peaks, row: Sequence[Any], published: int) -> None:
        index, entry_id, stored, *_, exists = row
        self.report.entries += bool(exists)
        kind = self._judge(peaks, row, published)
        if kind:
            self._found(kind, str(entry_id), index)
        peaks.append(bytes(stored))
        head = self.heads.get(peaks.size)
        if head and head.root != peaks.root() and self.report.ok:
            self._found("reordered", str(entry_id), index)

    def _judge(self, peaks: Peaks, row: Sequence[Any], published: int) -> str | None:
        index, _, stored, text, entry_mac, exists = row
        stored = bytes(stored)
        if index != peaks.size:
            return "deleted"  # a gap: leaf and entry are gone
        outside = TileReader(self.home).leaf(index, published) if index < published and self.report.ok else stored
        if not exists:
            return "deleted"
        if not compare_digest(mac(text.encode()), bytes(entry_mac)):
            return "forged" if outside == stored and leaf_of(text.encode(), bytes(entry_mac)) == stored else "edited"
        if leaf_of(text.encode(), bytes(entry_mac)) != stored:
            return "edited"
        return "reordered" if outside is not None and outside != stored else None

    def _unsealed(self, cursor: Any) -> None:
        for entry_id, text, entry_mac, before_mark in _stream(cursor, _UNSEALED, [self.mark]):
            self.report.unsealed += 1
            if not compare_digest(mac(text.encode()), bytes(entry_mac)):
                self._found("forged", str(entry_id))
            elif before_mark:
                self._found("inserted", str(entry_id))  # its leaf is gone, or the sealer could not have missed it

    def _found(self, kind: str, entry: str, index: int | None = None) -> None:
        if len(self.report.damages) < 100:
            self.report.damages.append(Damage(kind, entry, index))


def _stream(cursor: Any, sql: str, parameters: list[Any]) -> Iterator[Sequence[Any]]:
    """Rows through a server-side cursor: memory stays flat."""
    cursor.execute(f"DECLARE verification NO SCROLL CURSOR FOR {sql}", parameters)
    while True:
        cursor.execute("FETCH 5000 FROM verification")
        rows = cursor.fetchall()
        yield from rows
        if len(rows) < 5_000:
            break
    cursor.execute("CLOSE verification")


def _read(path: Path) -> str:
    return path.read_text().strip()
