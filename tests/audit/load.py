"""Entries at a steady rate that waits for nobody (open loop), and how long each takes to be published and to be written."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection, connections
from psycopg.conninfo import make_conninfo

from audit.ledger import Act
from audit.ledger.entries import insert, new_row
from audit.tlog.tiles import Tiles, size_of

REASON = "load"
UNGRANTED = """
    SELECT l.locktype || ' ' || l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE NOT l.granted AND c.relname LIKE 'audit\\_%'
"""


@dataclass(slots=True)
class Written:
    """One insert: when it was due, when it began and when it was committed (seconds since 1970)."""

    id: UUID
    due: float
    began: float
    done: float


def session(**more: Any) -> "psycopg.Connection[Any]":
    """A connection of its own as the runtime role."""
    settings = connection.settings_dict
    info = make_conninfo(
        host=settings["HOST"], port=settings["PORT"] or None, user=settings["USER"], password=settings["PASSWORD"], dbname=settings["NAME"]
    )
    return psycopg.connect(info, **more)


def open_loop(*, rate: float, writers: int, seconds: float) -> list[Written]:
    """Each writer inserts on its own clock, in autocommit: an insert that takes long delays its writer's next ones, not their due times."""
    found: list[list[Written]] = [[] for _ in range(writers)]
    ready = threading.Barrier(writers + 1)
    start = [0.0]

    def work(number: int) -> None:
        try:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT 1")
            ready.wait()
            ready.wait()
            for step in range(int(rate * seconds / writers)):
                due = start[0] + (number + step * writers) / rate
                if (left := due - time.time()) > 0:
                    time.sleep(left)
                row = new_row(act=Act.OBJECT_ACCESSED, channel="task", role="system", reason=REASON)
                began = time.time()
                insert([row])
                found[number].append(Written(row.id, due, began, time.time()))
        finally:
            connections["default"].close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    ready.wait()
    start[0] = time.time() + 0.05
    ready.wait()
    for thread in threads:
        thread.join()
    return [one for each in found for one in each]


@dataclass(slots=True)
class Watched:
    """What a bystander saw: (moment, published size) whenever it grew; samples of pg_locks, and the ungranted locks in them by kind."""

    sizes: list[tuple[float, int]] = field(default_factory=list)
    samples: int = 0
    ungranted: Counter[str] = field(default_factory=Counter)


@contextmanager
def published_sizes(root: Path) -> Iterator[Watched]:
    """Look at the published checkpoint every 10 ms."""
    seen, stop = Watched(), threading.Event()

    def look() -> None:
        while not stop.wait(0.01):
            size = size_of(Tiles(root).newest())
            if not seen.sizes or size > seen.sizes[-1][1]:
                seen.sizes.append((time.time(), size))

    with _thread(look, stop):
        yield seen


@contextmanager
def locks() -> Iterator[Watched]:
    """Look for waiting locks on audit tables every 20 ms."""
    seen, stop = Watched(), threading.Event()

    def look() -> None:
        with session(autocommit=True) as bystander:
            while not stop.wait(0.02):
                seen.samples += 1
                seen.ungranted.update(kind for (kind,) in bystander.execute(UNGRANTED.encode()))

    with _thread(look, stop):
        yield seen


@contextmanager
def _thread(look: Any, stop: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def lags(written: list[Written], seen: Watched) -> list[float]:
    """Of each entry: seconds from its commit until a published checkpoint held it, sorted. AssertionError for one that none holds."""
    done = {one.id: one.done for one in written}
    index, found = 0, []
    for leaf, entry in _leaves(list(done)):
        while seen.sizes[index][1] <= leaf:
            index += 1
        found.append(max(0.0, seen.sizes[index][0] - done[entry]))
    assert len(found) == len(written), "an entry is in no published tree"
    return sorted(found)


def _leaves(ids: list[UUID]) -> list[tuple[int, UUID]]:
    """(index, entry) in the order of the tree: one array, for there are more ids than a statement takes parameters."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT leaf_index, entry_id FROM audit_leaf WHERE entry_id = ANY(%s) ORDER BY leaf_index", [ids])
        rows: list[tuple[int, UUID]] = cursor.fetchall()
    return rows


def percentile(ordered: list[float], percent: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def take_away(owner: Any, size: int) -> None:
    """What a load left, by the owner: the tests that follow have a small log again."""
    tables = ("audit_entry", "audit_leaf", "audit_checkpoint")
    for table in tables:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
    owner.execute(
        b"DELETE FROM audit_entry e WHERE reason = %s OR EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = e.id AND l.leaf_index >= %s)",
        [REASON, size],
    )
    owner.execute(b"DELETE FROM audit_leaf WHERE leaf_index >= %s", [size])
    owner.execute(b"DELETE FROM audit_checkpoint WHERE tree_size > %s", [size])
    for table in tables:
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER".encode())
