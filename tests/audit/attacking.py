"""A log of a few entries in pieces of four leaves, and its database's owner with the triggers off, who knows everything but the keys."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from audit.ledger import keys
from audit.ledger.entries import COLUMNS, new_row
from audit.ledger.sealing import Sealer, leaf_of
from audit.ledger.verification import Damage, Verifier, pieces
from audit.tlog.merkle import Peaks
from audit.tlog.notes import Head, signed
from config import env
from tests.audit.conftest import Write, seal_all
from tests.conftest import AsOwner

TABLES = ("audit_entry", "audit_leaf", "audit_checkpoint")
Attack = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of four leaves, so that a few entries make many."""
    cut_small(monkeypatch, level=2)


def cut_small(monkeypatch: pytest.MonkeyPatch, level: int) -> None:
    for module in (pieces, sys.modules["audit.ledger.verification.verifier"]):
        monkeypatch.setattr(module, "LEVEL", level)
        monkeypatch.setattr(module, "WIDTH", 1 << level)


@pytest.fixture
def log(small: None, sealer: Sealer, written: Write) -> list[UUID]:
    """A dozen entries under three checkpoints, the last of the log."""
    for _ in range(3):
        written(4)
        seal_all(sealer)
    return everything()[-12:]


def everything() -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT entry_id FROM audit_leaf ORDER BY leaf_index")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def attack(as_owner: AsOwner, log: list[UUID], sealer: Sealer, tmp_path: Path) -> Iterator[Attack]:
    """The owner, with the triggers off; afterwards the three tables are again what they were."""
    shutil.copytree(sealer.tiles.root, tmp_path / "as it was")
    for table in TABLES:
        as_owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        as_owner(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
    try:
        yield as_owner
    finally:
        for table in TABLES:
            as_owner(f"DELETE FROM {table}")
            as_owner(f"INSERT INTO {table} SELECT * FROM kept_{table}")
            as_owner(f"DROP TABLE kept_{table}")
            as_owner(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        assert Verifier(tmp_path / "as it was").run().ok


def damages(**options: Any) -> list[Damage]:
    return Verifier(**options).run().damages


def first(**options: Any) -> tuple[str, str, int | None]:
    found = damages(**options)
    assert found, "the log verifies"
    return found[0].kind, found[0].entry, found[0].index


def at(entry: UUID) -> int:
    return everything().index(entry)


def keys_origin() -> str:
    return str(Verifier().trust.origin)


def command(sealer: Sealer, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, over the test database."""
    given = connection.settings_dict
    url = f"postgresql:///{given['NAME']}?host={given['HOST']}&user={given['USER']}" + (f"&port={given['PORT']}" if given["PORT"] else "")
    environment = {**os.environ, "DATABASE_URL": url}
    extra = [] if "--against" in arguments else ["--against", str(sealer.tiles.root)]
    line = [sys.executable, "manage.py", "verify_audit", *extra, *arguments]
    return subprocess.run(line, cwd=env.BASE_DIR, env=environment, capture_output=True, text=True, timeout=120)


def text_of(attack: Attack, entry: UUID) -> bytes:
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    (row,) = attack(f"SELECT {names} FROM audit_entry WHERE id = %s", entry)
    given = dict(zip(COLUMNS, row, strict=True))
    return new_row(**{name: value for name, value in given.items() if name not in ("id", "timestamp")}).__class__(**given).text()


def leaf_hash_of(attack: Attack, entry: UUID) -> bytes:
    ((code,),) = attack("SELECT mac FROM audit_entry WHERE id = %s", entry)
    return leaf_of(text_of(attack, entry), bytes(code))


def rewrite_leaf(attack: Attack, entry: UUID) -> None:
    attack("UPDATE audit_leaf SET leaf_hash = %s WHERE entry_id = %s", leaf_hash_of(attack, entry), entry)


def insert_true_entry(attack: Attack) -> tuple[UUID, bytes]:
    """As the application would write it, by somebody who has the MAC key."""
    row = new_row(act="object.accessed", channel="task", role="system")
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    marks = ", ".join(["%s"] * (len(COLUMNS) + 1))
    attack(f"INSERT INTO audit_entry ({names}, mac) VALUES ({marks})", *(getattr(row, name) for name in COLUMNS), keys.mac(row.text()))
    return row.id, row.text()


def shift(attack: Attack, index: int, by: int) -> None:
    """Move every leaf from `index` on, in an order in which no number is taken twice."""
    attack("UPDATE audit_leaf SET leaf_index = -1000000 - leaf_index WHERE leaf_index >= %s", index)
    attack("UPDATE audit_leaf SET leaf_index = -1000000 - leaf_index + %s WHERE leaf_index < -500000", by)


def cut(attack: Attack, entries: list[UUID], size: int) -> None:
    attack("DELETE FROM audit_entry WHERE id = ANY(%s)", entries)
    attack("DELETE FROM audit_leaf WHERE leaf_index >= %s", size)
    attack("DELETE FROM audit_checkpoint WHERE tree_size > %s", size)


def put_checkpoint(attack: Attack, peaks: Peaks, signer: Any) -> None:
    note = signed(Head(keys_origin(), peaks.size, peaks.root()), signer)
    values = [peaks.size, peaks.root(), peaks.to_bytes(), note]
    attack("INSERT INTO audit_checkpoint VALUES (%s, %s, %s, %s, '0', now())", *values)
