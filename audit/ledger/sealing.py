"""The sealer: every entry that has become visible goes into the tree, exactly once, in id order within its round.

Which entries are new is told by transactions, not by time. A round takes a snapshot and then seals whatever it sees
that the last round's snapshot did not show: transactions that had not begun then, or were still running. A late commit
is one of those, so it is found; nobody waits for it, and a transaction that writes for hours costs nothing. The mark
kept with each checkpoint is the oldest transaction that ran (xmin): where a new process begins, once, to look wider.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from operator import not_
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from audit.ledger import alarms
from audit.ledger.entries import text_sql
from audit.ledger.keys import mac, signer
from audit.ledger.resuming import begin
from audit.tlog.merkle import Peaks, leaf_hash
from audit.tlog.notes import Head, signed

LOCK_KEY = 0x7E1E_5EA1  # one sealer at a time
BATCH = 5_000
FIRST = UUID(int=0)
STROKE = 50_000  # further batches of one round, when much has come at once

LEAF_SQL = f"{text_sql('e')} || '|' || encode(e.mac, 'hex')"  # built from our own column names
"""What a leaf hashes: the canonical text and, behind a bar, the MAC in hex."""

_SNAPSHOT = "SELECT pg_current_snapshot()::text"
# By the index on xid, whatever the planner believes about a table that grows faster than its statistics.
_BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
_SINCE = f"""
    WITH fresh AS MATERIALIZED (SELECT id FROM audit_entry WHERE xid >= %s::xid8 OR xid = ANY(%s::xid8[])),
    page AS MATERIALIZED (
        SELECT f.id FROM fresh f
        WHERE f.id > %s AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = f.id) ORDER BY f.id LIMIT %s
    )
    SELECT e.id, {text_sql("e")}, e.mac FROM page p JOIN audit_entry e ON e.id = p.id ORDER BY e.id
"""  # noqa: S608  # our own column names
_WIDE = f"""
    SELECT e.id, {text_sql("e")}, e.mac FROM audit_entry e
    WHERE e.xid >= %s::xid8 AND e.id > %s AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = e.id)
    ORDER BY e.id LIMIT %s
"""  # noqa: S608  # our own column names
_LAG = """
    WITH last AS (SELECT made_at, mark FROM audit_checkpoint ORDER BY tree_size DESC LIMIT 1),
    since AS (SELECT COALESCE((SELECT made_at FROM last), '-infinity') AS made_at, COALESCE((SELECT mark FROM last), '0') AS mark)
    SELECT extract(epoch FROM clock_timestamp() - GREATEST(e."timestamp", s.made_at)) FROM since s, audit_entry e
    WHERE e.id >= CASE WHEN s.made_at = '-infinity' THEN '00000000-0000-0000-0000-000000000000'::uuid
                       ELSE audit_id_at(s.made_at - interval '65 seconds') END
      AND e.xid >= s.mark::xid8 AND (SELECT l.entry_id FROM audit_leaf l WHERE l.entry_id = e.id) IS NULL
    ORDER BY e.id LIMIT 1
"""


@dataclass(slots=True)
class Sealed:
    """What one batch did: leaves added, and ids of entries that carry no valid MAC and were left out."""

    count: int
    forged: list[str]
    more: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """PostgreSQL's `xmin:xmax:running,...`: all below xmin has ended, nothing from xmax on had begun."""

    oldest: str
    next: str
    running: list[str]

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        oldest, following, running = text.split(":")
        return cls(oldest, following, running.split(",") if running else [])


@dataclass(frozen=True, slots=True)
class Round:
    """A round that has more than one batch: its snapshot, and the last id that has been looked at."""

    snapshot: Snapshot
    after: UUID = FIRST


def leaf_of(text: bytes, entry_mac: bytes) -> bytes:
    """The leaf hash of an entry, from its canonical text and MAC."""
    return leaf_hash(text + b"|" + entry_mac.hex().encode())


def lag_seconds() -> float:
    """How long sealing has been due: since the oldest waiting entry, or the last checkpoint if that is younger."""
    with connection.cursor() as cursor:
        cursor.execute(_LAG)
        row = cursor.fetchone()
    return float(row[0]) if row else 0.0


class Sealer:
    """Holds the tree's peaks and open tiles; made once per process, after the advisory lock is held. Raises Forked."""

    def __init__(self, home: Path | None = None) -> None:
        begun = begin(home or settings.AUDIT_CHECKPOINTS)
        self.tiles, self.peaks, self.mark = begun.tiles, begun.peaks, begun.mark
        self.seen: Snapshot | None = None  # what the last complete round looked at
        self.round: Round | None = None  # one that is not complete

    def seal(self) -> Sealed:
        """One batch under one checkpoint. What it finds forged is on record in the same transaction."""
        peaks = Peaks(self.peaks.size, self.peaks.roots)
        with transaction.atomic():
            current, rows = self._unsealed()
            genuine = [hmac.compare_digest(mac(text.encode()), bytes(entry_mac)) for _, text, entry_mac in rows]
            good, forged = list(compress(rows, genuine)), [row[0] for row in compress(rows, map(not_, genuine))]
            full = len(rows) == self._limit()
            mark = self.mark if full else current.snapshot.oldest
            leaves = [leaf_of(row[1].encode(), bytes(row[2])) for row in good]
            note = self._store(peaks, [row[0] for row in good], leaves, mark) if good else ""
            alarms.forgeries_found(forged)
        self.peaks, self.mark = peaks, mark
        self.round = Round(current.snapshot, rows[-1][0]) if full else None
        self.seen = self.seen if full else current.snapshot
        if note:
            self._publish(leaves, note)
        return Sealed(len(leaves), [str(one) for one in forged], full)

    def _limit(self) -> int:
        return STROKE if self.round else BATCH

    def _unsealed(self) -> tuple[Round, list[Any]]:
        """The next batch of the round that is under way, or the first of a new one."""
        with connection.cursor() as cursor:
            for statement in _BY_INDEX.split("; "):
                cursor.execute(statement)
            cursor.execute(_SNAPSHOT)  # before the entries are read: what commits in between is looked at again
            current = self.round or Round(Snapshot.parse(cursor.fetchone()[0]))
            if self.seen:
                cursor.execute(_SINCE, [self.seen.next, self.seen.running, current.after, self._limit()])
            else:
                cursor.execute(_WIDE, [self.mark, current.after, self._limit()])
            return current, cursor.fetchall()

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

    def _publish(self, leaves: Sequence[bytes], note: str) -> None:
        for leaf in leaves:
            self.tiles.append(leaf)
        self.tiles.settle()
        self.tiles.publish(note)


def take_lock() -> bool:
    """Whether this session is the one sealer now; PostgreSQL lets go when the connection ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
        return bool(cursor.fetchone()[0])


def may_seal() -> bool:
    """Whether this role may write leaves and checkpoints: where there is a role for the sealer, no other does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('audit_leaf', 'INSERT') AND has_table_privilege('audit_checkpoint', 'INSERT')")
        return bool(cursor.fetchone()[0])


def make_partitions() -> None:
    """Next months' partitions, by the owner's function: the runtime role has no DDL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_make_partitions()")
