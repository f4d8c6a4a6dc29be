"""C2: whatever the owner of the database does to the log, the verifier names the entry and the damage."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.db import DatabaseError, connection

from audit.ledger import uuid7
from audit.ledger.sealing import Sealer
from audit.ledger.verification import Damage, Verifier
from tests.audit.conftest import Write, seal_all

AsOwner = Callable[..., list[tuple[object, ...]]]


@contextmanager
def disarmed(as_owner: AsOwner, table: str) -> Iterator[None]:
    """What only the owner can do: switch the triggers off."""
    as_owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        as_owner(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def first_damage() -> Damage:
    report = Verifier().run()
    assert not report.ok
    return report.damages[0]


def test_an_untouched_log_verifies(sealer: Sealer, written: Write) -> None:
    ids = written(20)
    seal_all(sealer)

    report = Verifier().run()

    assert report.ok, report.damages
    assert report.unsealed == 0
    assert report.entries == report.tree_size >= len(ids) == 20


def test_an_edited_entry_is_named(sealer: Sealer, written: Write, as_owner: AsOwner) -> None:
    victim = written(5)[2]
    seal_all(sealer)
    with disarmed(as_owner, "audit_entry"):
        as_owner("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", victim)
        try:
            assert first_damage() == Damage("edited", str(victim), sealer.peaks.size - 3)
        finally:
            as_owner("UPDATE audit_entry SET role = 'system' WHERE id = %s", victim)
    assert Verifier().run().ok


def test_a_deleted_entry_is_named(sealer: Sealer, written: Write, as_owner: AsOwner) -> None:
    victim = written(5)[1]
    seal_all(sealer)
    with disarmed(as_owner, "audit_entry"), moved_away(as_owner, victim):
        assert first_damage() == Damage("deleted", str(victim), sealer.peaks.size - 4)
    assert Verifier().run().ok


def test_an_entry_deleted_with_its_leaf_is_named(sealer: Sealer, written: Write, as_owner: AsOwner) -> None:
    victim = written(5)[1]
    seal_all(sealer)
    index = sealer.peaks.size - 4
    (leaf,) = as_owner("SELECT leaf_hash FROM audit_leaf WHERE leaf_index = %s", index)
    with disarmed(as_owner, "audit_entry"), disarmed(as_owner, "audit_leaf"), moved_away(as_owner, victim):
        as_owner("DELETE FROM audit_leaf WHERE leaf_index = %s", index)
        try:
            assert first_damage().kind == "deleted"
        finally:
            as_owner("INSERT INTO audit_leaf VALUES (%s, %s, %s)", index, victim, leaf[0])
    assert Verifier().run().ok


def test_a_forged_insert_is_not_sealed_and_is_named(sealer: Sealer, written: Write, as_owner: AsOwner) -> None:
    (template,) = written(1)
    seal_all(sealer)
    forged = uuid7()
    as_owner(COPY_OF, forged, template)
    try:
        assert sealer.seal().forged == [str(forged)]
        assert first_damage() == Damage("forged", str(forged))
    finally:
        with disarmed(as_owner, "audit_entry"):
            as_owner("DELETE FROM audit_entry WHERE id = %s", forged)
    assert Verifier().run().ok


def test_reordered_leaves_are_named(sealer: Sealer, written: Write, as_owner: AsOwner) -> None:
    written(6)
    seal_all(sealer)
    first, second = sealer.peaks.size - 5, sealer.peaks.size - 2
    with disarmed(as_owner, "audit_leaf"):
        swap(as_owner, first, second)
        try:
            damage = first_damage()
            assert (damage.kind, damage.index) == ("reordered", first)
        finally:
            swap(as_owner, first, second)
    assert Verifier().run().ok


def test_a_truncated_tail_is_named(sealer: Sealer, written: Write, as_owner: AsOwner) -> None:
    victim = written(3)[-1]
    seal_all(sealer)
    size = sealer.peaks.size
    leaf = as_owner("SELECT * FROM audit_leaf WHERE leaf_index = %s", size - 1)[0]
    checkpoints = as_owner("SELECT tree_size, root, peaks, note, mark, made_at FROM audit_checkpoint WHERE tree_size = %s", size)
    with disarmed(as_owner, "audit_entry"), disarmed(as_owner, "audit_leaf"), disarmed(as_owner, "audit_checkpoint"):
        with moved_away(as_owner, victim):
            as_owner("DELETE FROM audit_leaf WHERE leaf_index = %s", size - 1)
            as_owner("DELETE FROM audit_checkpoint WHERE tree_size = %s", size)
            try:
                assert "truncated tail" in {damage.kind for damage in Verifier().run().damages}
            finally:
                as_owner("INSERT INTO audit_leaf VALUES (%s, %s, %s)", *leaf)
                as_owner("INSERT INTO audit_checkpoint VALUES (%s, %s, %s, %s, %s, %s)", *checkpoints[0])
    assert Verifier().run().ok


@pytest.mark.parametrize(
    "attempt",
    [
        "UPDATE audit_entry SET role = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE audit_leaf SET leaf_index = -1",
        "DELETE FROM audit_leaf",
        "TRUNCATE audit_leaf",
        "DELETE FROM audit_checkpoint",
        "DROP TABLE audit_entry",
        "ALTER TABLE audit_entry DISABLE TRIGGER USER",
        "SELECT 1 FROM audit_entry FOR UPDATE",
    ],
)
def test_the_runtime_role_cannot_change_the_log(written: Write, attempt: str) -> None:
    written(1)
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(attempt)


@pytest.mark.parametrize("attempt", ["UPDATE audit_entry SET role = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"])
def test_even_the_owner_meets_the_triggers(written: Write, as_owner: AsOwner, attempt: str) -> None:
    written(1)
    with pytest.raises(Exception, match="append-only"):
        as_owner(attempt)


def test_each_partition_refuses_truncate_and_direct_inserts(as_owner: AsOwner) -> None:
    (partition,) = as_owner("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass LIMIT 1")[0]
    with pytest.raises(Exception, match="append-only"):
        as_owner(f"TRUNCATE {partition}")
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {partition} SELECT * FROM audit_entry LIMIT 1")


@pytest.mark.parametrize("column", ["id", '"timestamp"'])
def test_an_entry_cannot_be_back_dated(written: Write, column: str) -> None:
    (template,) = written(1)
    old = {"id": "'01890000-0000-7000-8000-000000000001'::uuid", '"timestamp"': "now() - interval '1 day'"}[column]
    with pytest.raises(DatabaseError, match=r"not of now|no partition"), connection.cursor() as cursor:
        cursor.execute(
            COPY_OF.replace("%s::uuid", old if column == "id" else f"'{uuid7()}'::uuid").replace(
                'e."timestamp"', old if column != "id" else 'e."timestamp"'
            ),
            [template],
        )


COLUMNS = "act, action, actor_id, channel, cid, client, detail, kind, object_pk, outcome, purpose, reason, record_id, role, session"
COPY_OF = f"""
    INSERT INTO audit_entry (id, "timestamp", mac, {COLUMNS})
    SELECT %s::uuid, e."timestamp", e.mac, {COLUMNS} FROM audit_entry e WHERE e.id = %s
"""


@contextmanager
def moved_away(as_owner: AsOwner, entry: UUID) -> Iterator[None]:
    """Delete an entry, and put it back to the letter (the shared database serves other tests too)."""
    as_owner("CREATE TABLE kept AS SELECT * FROM audit_entry WHERE id = %s", entry)
    as_owner("DELETE FROM audit_entry WHERE id = %s", entry)
    try:
        yield
    finally:
        as_owner("INSERT INTO audit_entry SELECT * FROM kept")
        as_owner("DROP TABLE kept")


def swap(as_owner: AsOwner, first: int, second: int) -> None:
    """Exchange two leaves' places."""
    as_owner("UPDATE audit_leaf SET leaf_index = -1 WHERE leaf_index = %s", first)
    as_owner("UPDATE audit_leaf SET leaf_index = %s WHERE leaf_index = %s", first, second)
    as_owner("UPDATE audit_leaf SET leaf_index = %s WHERE leaf_index = -1", second)
