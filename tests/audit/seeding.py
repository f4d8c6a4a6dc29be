"""Entries by the hundred thousand, with valid MACs, over months gone by: written by the owner past the check against back-dating.

`seed` leaves them; `seeded` takes them away again, with whatever was sealed meanwhile. Both need committed connections
(`transactional_db`): the triggers are off inside one transaction of the owner's, which waits for nobody's open insert for long.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from django.db import connections, transaction

from audit.ledger import Act, uuid7
from audit.ledger.entries import COLUMNS, canonical, text_sql
from audit.ledger.keys import mac
from audit.ledger.sealing import Sealer, leaf_of
from audit.tlog.merkle import Peaks

LOCK_TIMEOUT = "10s"
CHUNK = 20_000
_COPY = f"COPY audit_entry ({', '.join(COLUMNS)}, mac) FROM STDIN".encode()
NIL = UUID(int=0)
STROKE = 100_000
# Not as a join: over millions the planner would read all that is left, and all leaves, for each stroke.
_NEXT = f"""
    SELECT e.id, {text_sql("e")}, e.mac FROM audit_entry e
    WHERE e.id > %s AND e.id <= %s AND (SELECT l.entry_id FROM audit_leaf l WHERE l.entry_id = e.id) IS NULL
    ORDER BY e.id LIMIT {STROKE}
"""
ROLES = ("provider", "nurse", "front_desk", "patient", "biller", "system")
CHANNELS = ("REST", "portal", "WS", "task", "admin")
PURPOSES = ("TREAT", "TREAT", "TREAT", "HOPERAT", "HPAYMT", "PATRQT")
ACTS = (*[Act.RECORD_OPENED] * 12, Act.PATIENT_SEARCHED, Act.LEDGER_READ, Act.SIGNED_IN, Act.NOTE_SIGNED, Act.REFUSED)


@dataclass(slots=True)
class Seeded:
    """What was written: `first` and `last` id, who acted, whose records, and the partitions made for it."""

    count: int
    actors: Sequence[UUID]
    records: Sequence[UUID]
    first: UUID = NIL
    last: UUID = NIL
    xid: str = ""
    partitions: list[str] = field(default_factory=list)


def seed(
    count: int,
    *,
    months: int = 1,
    until: datetime | None = None,
    actors: Sequence[UUID] = (),
    records: Sequence[UUID] = (),
    sealer: Sealer | None = None,
) -> Seeded:
    """Write entries spread evenly over the months before `until` (now), in the order of their ids.

    With a sealer they go into its tree too, in strokes of a hundred thousand, each under one checkpoint.
    """
    until = (until or datetime.now(UTC)).astimezone(UTC)
    made = Seeded(count, actors or [uuid7() for _ in range(50)], records or [uuid7() for _ in range(1_000)])
    with owner() as connection:
        connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'".encode())
        made.partitions = _make_months(connection, until - timedelta(days=31 * months), until)
        with connection.transaction():
            connection.execute(b"ALTER TABLE audit_entry DISABLE TRIGGER USER")
            made.xid = _value(connection, b"SELECT pg_current_xact_id()::text")
            _write(connection, made, until - timedelta(days=30 * months), until)
            connection.execute(b"ALTER TABLE audit_entry ENABLE TRIGGER USER")
        connection.execute(b"ANALYZE audit_entry")
    if sealer:
        seal_in_bulk(sealer, made)
    return made


@contextmanager
def seeded(count: int, **how: Any) -> Iterator[Seeded]:
    """`seed` for a test: everything is gone afterwards, also the leaves and checkpoints made meanwhile."""
    with owner() as connection:
        size = _value(connection, b"SELECT count(*) FROM audit_leaf")
    made = seed(count, **how)
    try:
        yield made
    finally:
        connections["default"].close()
        _take_away(made, size)


@contextmanager
def owner() -> Iterator["psycopg.Connection[Any]"]:
    """A connection of the tables' owner to the database of the tests."""
    settings = connections["owner"].settings_dict
    address = {"host": settings["HOST"], "port": settings["PORT"] or None, "user": settings["USER"], "password": settings["PASSWORD"]}
    with psycopg.connect(dbname=connections["default"].settings_dict["NAME"], autocommit=True, **address) as connection:
        yield connection


def _value(connection: "psycopg.Connection[Any]", statement: bytes) -> Any:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None


def _make_months(connection: "psycopg.Connection[Any]", since: datetime, until: datetime) -> list[str]:
    """Partitions for months that have none, as `audit_make_partitions` makes them for months to come."""
    made, month = [], since.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month <= until:
        following = (month + timedelta(days=32)).replace(day=1)
        name = f"audit_entry_{month:%Y_%m}"
        if _value(connection, f"SELECT to_regclass('public.{name}')".encode()) is None:
            connection.execute(f"CREATE TABLE {name} (LIKE audit_entry INCLUDING ALL)".encode())
            connection.execute(
                f"CREATE TRIGGER audit_partition_no_truncate BEFORE TRUNCATE ON {name} FOR EACH STATEMENT "
                "EXECUTE FUNCTION audit_refuse_change()".encode()
            )
            bounds = [_value(connection, f"SELECT audit_id_at('{each:%Y-%m-%d} 00:00+00')".encode()) for each in (month, following)]
            connection.execute(
                f"ALTER TABLE audit_entry ATTACH PARTITION {name} FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')".encode()
            )
            made.append(name)
        month = following
    return made


def _write(connection: "psycopg.Connection[Any]", made: Seeded, since: datetime, until: datetime) -> None:
    chance, lines = Random(made.count), []
    first, step = int(since.timestamp() * 1e6), (until - since) / made.count / timedelta(microseconds=1)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for number in range(made.count):
            values = _entry(chance, made, first + int(number * step))
            lines.append(_line([*values.values()], mac(canonical(values))))
            if number in (0, made.count - 1):
                made.first, made.last = made.first if number else UUID(values["id"]), UUID(values["id"])
            if len(lines) == CHUNK:
                copy.write("".join(lines))
                lines.clear()
        copy.write("".join(lines))


def _line(values: list[Any], code: bytes) -> str:
    """A row in COPY's text format; nothing of what is seeded needs escaping but the backslash of bytea."""
    return "\t".join([r"\N" if value is None else str(value) for value in values]) + "\t\\\\x" + code.hex() + "\n"


def _entry(chance: Random, made: Seeded, at: int) -> dict[str, Any]:
    """One entry's columns, sorted, of so many microseconds since 1970."""
    milliseconds, rest = divmod(at, 1000)
    dice = chance.getrandbits(128)
    act, record = ACTS[dice % len(ACTS)], str(made.records[(dice >> 8) % len(made.records)])
    opened = act == Act.RECORD_OPENED
    digits = f"{milliseconds << 80 | 7 << 76 | (rest * 4096 // 1000) << 64 | 2 << 62 | dice >> 66:032x}"
    return {
        "act": act.value,
        "action": 3,
        "actor_id": str(made.actors[(dice >> 32) % len(made.actors)]),
        "channel": CHANNELS[(dice >> 50) % len(CHANNELS)],
        "cid": f"{dice:032x}",
        "client": "",
        "detail": f'{{"records.Patient:{record}":["family","given"]}}' if opened else "{}",
        "id": f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}",
        "kind": "",
        "object_pk": "",
        "outcome": "refused" if act == Act.REFUSED else "ok",
        "purpose": PURPOSES[(dice >> 60) % len(PURPOSES)],
        "reason": "",
        "record_id": record if opened else None,
        "role": ROLES[(dice >> 70) % len(ROLES)],
        "session": "",
        "timestamp": f"{datetime.fromtimestamp(at // 1_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1_000_000:06d}Z",
    }


def seal_in_bulk(sealer: Sealer, made: Seeded) -> None:
    """What the sealer does, without its small rounds: the same leaves, tiles and signed checkpoints, in the order of the ids."""
    last, more = UUID(int=made.first.int - 1), True
    while more:
        with connections["default"].cursor() as cursor:
            cursor.execute(_NEXT, [last, made.last])
            rows = cursor.fetchall()
        more = bool(rows)
        if rows:
            last = rows[-1][0]
            _stroke(sealer, [row[0] for row in rows], [leaf_of(row[1].encode(), bytes(row[2])) for row in rows])


def _stroke(sealer: Sealer, ids: list[UUID], leaves: list[bytes]) -> None:
    peaks = Peaks(sealer.peaks.size, sealer.peaks.roots)
    with transaction.atomic():
        note = sealer._store(peaks, ids, leaves, sealer.mark)
    sealer.peaks = peaks
    for leaf in leaves:
        sealer.tiles.append(leaf)
    sealer.tiles.settle()
    sealer.tiles.publish(note)


def _take_away(made: Seeded, size: int) -> None:
    """Partitions made for it are dropped; what else was written goes row by row, with the leaves and checkpoints above `size`."""
    with owner() as connection, connection.transaction():
        tables = ("audit_entry", "audit_leaf", "audit_checkpoint")
        for name in made.partitions:
            connection.execute(f"DROP TABLE {name}".encode())
        for table in tables:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        connection.execute(b"DELETE FROM audit_entry WHERE id BETWEEN %s AND %s AND xid = %s::xid8", [made.first, made.last, made.xid])
        connection.execute(b"DELETE FROM audit_leaf WHERE leaf_index >= %s", [size])
        connection.execute(b"DELETE FROM audit_checkpoint WHERE tree_size > %s", [size])
        for table in tables:
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())
