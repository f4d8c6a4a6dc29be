"""The sealer: every entry that has become visible goes into the tree, in id order, exactly once.

Which entries are new is told by transaction ids, not by time: take the oldest running transaction (W') first, then
seal whatever is visible with xid >= the last mark and not yet in the tree, then remember W'. A transaction that
commits late is at or above every mark taken while it ran, so it is found; nobody waits for it.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from audit.ledger.entries import text_sql
from audit.ledger.keys import mac, signer
from audit.tlog.merkle import Peaks, leaf_hash
from audit.tlog.notes import Head, signed
from audit.tlog.tiles import Tiles, write

LOCK_KEY = 0x7E1E_5EA1  # one sealer at a time
BATCH = 5_000

LEAF_SQL = f"{text_sql('e')} || '|' || encode(e.mac, 'hex')"  # built from our own column names
"""What a leaf hashes: the canonical text and, behind a bar, the MAC in hex."""

_NEW = f"""
    SELECT e.id, {text_sql("e")}, e.mac FROM audit_entry e
    WHERE e.xid >= %s::xid8 AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = e.id)
    ORDER BY e.id LIMIT {BATCH}
"""  # noqa: S608  # built from our own column names
_LAST = "SELECT tree_size, peaks, mark, note FROM audit_checkpoint ORDER BY tree_size DESC LIMIT 1"
_NOW = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text, pg_snapshot_xmax(pg_current_snapshot())::text"
_LAG = """
    SELECT COALESCE(extract(epoch FROM clock_timestamp() - min(e."timestamp")), 0) FROM audit_entry e
    WHERE e.xid >= COALESCE((SELECT mark FROM audit_checkpoint ORDER BY tree_size DESC LIMIT 1), '0')::xid8
      AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = e.id)
"""


@dataclass(slots=True)
class Sealed:
    """What one round did: leaves added, and ids of entries that carry no valid MAC and were left out."""

    count: int
    forged: list[str]
    more: bool


def leaf_of(text: bytes, entry_mac: bytes) -> bytes:
    """The leaf hash of an entry, from its canonical text and MAC."""
    return leaf_hash(text + b"|" + entry_mac.hex().encode())


def lag_seconds() -> float:
    """How long the oldest unsealed entry has been waiting."""
    with connection.cursor() as cursor:
        cursor.execute(_LAG)
        return float(cursor.fetchone()[0])


class Sealer:
    """Holds the tree's peaks and open tiles; made once per process, after the advisory lock is held."""

    def __init__(self, home: Path | None = None) -> None:
        self.tiles = Tiles(home or settings.AUDIT_CHECKPOINTS)
        self.peaks, self.mark, note = _last()
        self._rebuild_tiles()
        write(self.tiles.root / "public-key", signer().public_key().hex().encode())
        if note and note != self.tiles.newest():  # the last process ended between commit and publication
            self.tiles.publish(note)

    def _rebuild_tiles(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT leaf_hash FROM audit_leaf WHERE leaf_index < %s ORDER BY leaf_index", [self.peaks.size])
            while rows := cursor.fetchmany(BATCH):
                for (leaf,) in rows:
                    self.tiles.append(bytes(leaf))
        self.tiles.settle()

    def seal(self) -> Sealed:
        """One round: at most BATCH entries, one checkpoint."""
        peaks = Peaks(self.peaks.size, self.peaks.roots)
        with transaction.atomic():
            after, rows = self._unsealed()
            good = [row for row in rows if hmac.compare_digest(mac(row[1].encode()), bytes(row[2]))]
            forged = [str(row[0]) for row in rows if row not in good]
            full = len(rows) == BATCH
            if not good:
                return Sealed(0, forged, full)
            leaves = [leaf_of(row[1].encode(), bytes(row[2])) for row in good]
            note = self._store(peaks, [row[0] for row in good], leaves, self.mark if full else after)
        self.peaks, self.mark = peaks, self.mark if full else after
        for leaf in leaves:
            self.tiles.append(leaf)
        self.tiles.settle()
        self.tiles.publish(note)
        return Sealed(len(leaves), forged, full)

    def _unsealed(self) -> tuple[str, list[Any]]:
        with connection.cursor() as cursor:
            cursor.execute(_NOW)
            after, newest = cursor.fetchone()
            restored = int(self.mark) > int(newest)  # ids restart after dump and restore: look at everything once
            cursor.execute(_NEW, ["0" if restored else self.mark])
            return after, cursor.fetchall()

    def _store(self, peaks: Peaks, ids: Sequence[Any], leaves: Sequence[bytes], mark: str) -> str:
        first = peaks.size
        for leaf in leaves:
            peaks.append(leaf)
        note = signed(Head(settings.AUDIT_ORIGIN, peaks.size, peaks.root()), signer())
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO audit_leaf SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::bytea[])",
                [list(range(first, peaks.size)), list(ids), list(leaves)],
            )
            cursor.execute(
                "INSERT INTO audit_checkpoint (tree_size, root, peaks, note, mark) VALUES (%s, %s, %s, %s, %s)",
                [peaks.size, peaks.root(), peaks.to_bytes(), note, mark],
            )
        return note


def _last() -> tuple[Peaks, str, str]:
    with connection.cursor() as cursor:
        cursor.execute(_LAST)
        row = cursor.fetchone()
    if row is None:
        return Peaks(), "0", ""
    return Peaks.from_bytes(row[0], bytes(row[1])), row[2], row[3]


def take_lock() -> bool:
    """Whether this session is the one sealer now; PostgreSQL lets go when the connection ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
        return bool(cursor.fetchone()[0])


def make_partitions() -> None:
    """Next months' partitions, by the owner's function: the runtime role has no DDL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_make_partitions()")
