"""The verifier against an owner of the database who knows everything but the keys, and against its own options.

Every attack here is made with the rights of the tables' owner: triggers off, any statement, any function.
"""

import hmac
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from audit.ledger import keys, sealing
from audit.ledger.entries import COLUMNS, canonical, new_row
from audit.ledger.sealing import Sealer, leaf_of
from audit.ledger.verification import Damage, Report, Untrusted, Verifier, pieces
from audit.tlog.merkle import Peaks
from audit.tlog.notes import Head, signed
from config import env
from tests.audit.conftest import Write, seal_all
from tests.audit.seeding import seeded
from tests.audit.test_merkle import OneKey
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


def test_an_untouched_log_verifies_whatever_the_size_of_the_pieces(log: list[UUID]) -> None:
    report = Verifier().run()
    assert report.ok, report.damages
    assert report.entries == report.tree_size == len(everything())
    assert report.checkpoints >= 3


def test_edited(attack: Attack, log: list[UUID]) -> None:
    index = at(log[5])
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", log[5])
    assert first() == ("edited", str(log[5]), index)


def test_edited_with_its_leaf(attack: Attack, log: list[UUID]) -> None:
    """The owner recomputes what the leaf table should say of the changed entry; the MAC is beyond them."""
    index = at(log[5])
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", log[5])
    rewrite_leaf(attack, log[5])
    assert first() == ("edited", str(log[5]), index)


def test_edited_by_somebody_who_has_the_mac_key_too(attack: Attack, log: list[UUID]) -> None:
    index = at(log[5])
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", log[5])
    attack("UPDATE audit_entry SET mac = %s WHERE id = %s", keys.mac(text_of(attack, log[5])), log[5])
    rewrite_leaf(attack, log[5])
    assert first() == ("edited", str(log[5]), index)


def test_deleted(attack: Attack, log: list[UUID]) -> None:
    index = at(log[2])
    attack("DELETE FROM audit_entry WHERE id = %s", log[2])
    assert first() == ("deleted", str(log[2]), index)


def test_deleted_with_its_leaf(attack: Attack, log: list[UUID]) -> None:
    index = at(log[2])
    attack("DELETE FROM audit_entry WHERE id = %s", log[2])
    attack("DELETE FROM audit_leaf WHERE entry_id = %s", log[2])
    assert first() == ("deleted", f"leaf {index}", index)


def test_deleted_with_its_leaf_and_the_rest_moved_up(attack: Attack, log: list[UUID]) -> None:
    index = at(log[2])
    attack("DELETE FROM audit_entry WHERE id = %s", log[2])
    attack("DELETE FROM audit_leaf WHERE entry_id = %s", log[2])
    shift(attack, index, -1)
    assert first() == ("deleted", f"leaf {index}", index)


def test_inserted_into_the_tree(attack: Attack, log: list[UUID]) -> None:
    """An entry with a true MAC, put between others, with everything after it moved down."""
    index, (late, _) = at(log[3]), insert_true_entry(attack)
    shift(attack, index, 1)
    attack("INSERT INTO audit_leaf VALUES (%s, %s, %s)", index, late, leaf_hash_of(attack, late))
    assert first() == ("inserted", str(late), index)


def test_inserted_beside_the_tree(attack: Attack, log: list[UUID]) -> None:
    """An entry of a transaction long over, which the sealer would have sealed had it been there."""
    late, _ = insert_true_entry(attack)
    attack("UPDATE audit_entry SET xid = '3' WHERE id = %s", late)
    assert Damage("inserted", str(late)) in damages()


def test_inserted_without_the_mac_key(attack: Attack, log: list[UUID]) -> None:
    late, _ = insert_true_entry(attack)
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", late)
    assert first() == ("forged", str(late), None)


def test_inserted_far_away(attack: Attack, log: list[UUID]) -> None:
    late, _ = insert_true_entry(attack)
    attack("INSERT INTO audit_leaf VALUES (%s, %s, %s)", 10**15, late, leaf_hash_of(attack, late))
    assert first() == ("inserted", str(late), 10**15)


def test_reordered(attack: Attack, log: list[UUID]) -> None:
    one, two = at(log[1]), at(log[9])
    for old, new in ((one, -1), (two, one), (-1, two)):
        attack("UPDATE audit_leaf SET leaf_index = %s WHERE leaf_index = %s", new, old)
    assert first() == ("reordered", str(log[9]), one)


def test_reordered_neighbours(attack: Attack, log: list[UUID]) -> None:
    one = at(log[1])
    for old, new in ((one, -1), (one + 1, one), (-1, one + 1)):
        attack("UPDATE audit_leaf SET leaf_index = %s WHERE leaf_index = %s", new, old)
    assert first() == ("reordered", str(log[2]), one)


def test_reordered_entries_under_their_leaves(attack: Attack, log: list[UUID]) -> None:
    attack("UPDATE audit_leaf SET entry_id = %s WHERE entry_id = %s", UUID(int=1), log[1])
    attack("UPDATE audit_leaf SET entry_id = %s WHERE entry_id = %s", log[1], log[9])
    attack("UPDATE audit_leaf SET entry_id = %s WHERE entry_id = %s", log[9], UUID(int=1))
    assert first()[0] == "reordered"


def test_truncated_tail(attack: Attack, log: list[UUID]) -> None:
    size = len(everything())
    cut(attack, log[-4:], size - 4)
    found = damages()
    assert found[0] == Damage("truncated tail", f"size {size - 4} of {size}", size - 4)
    assert "rolled-back checkpoint" in {each.kind for each in found}


def test_truncated_to_nothing(attack: Attack, log: list[UUID]) -> None:
    for table in TABLES:
        attack(f"DELETE FROM {table}")
    assert first()[0] == "truncated tail"


def test_rolled_back_checkpoint(attack: Attack, log: list[UUID]) -> None:
    """The entries are all there, but the database knows nothing of the newest checkpoint."""
    attack("DELETE FROM audit_checkpoint WHERE tree_size = (SELECT max(tree_size) FROM audit_checkpoint)")
    assert "rolled-back checkpoint" in {each.kind for each in damages()}


def test_an_old_dump_grown_again_is_rolled_back_and_parts_where_it_was_restored(attack: Attack, log: list[UUID], sealer: Sealer) -> None:
    """Restored to where it stood four entries ago, other entries since, sealed by the true sealer with the true key."""
    size = len(everything())
    cut(attack, log[-4:], size - 4)
    others = [insert_true_entry(attack)[0] for _ in range(4)]
    peaks = Peaks()
    for (leaf,) in attack("SELECT leaf_hash FROM audit_leaf ORDER BY leaf_index"):
        peaks.append(bytes(leaf))
    for number, other in enumerate(others):
        leaf = leaf_hash_of(attack, other)
        attack("INSERT INTO audit_leaf VALUES (%s, %s, %s)", size - 4 + number, other, leaf)
        peaks.append(leaf)
    put_checkpoint(attack, peaks, keys.signer())

    found = damages()

    assert "forked checkpoint" in {each.kind for each in found} or found[0].index == size - 4


def test_a_forked_checkpoint(attack: Attack, log: list[UUID]) -> None:
    """Two roots of one size under our own signature: the sealer's key was used for another log."""
    size = len(everything())
    attack("DELETE FROM audit_checkpoint WHERE tree_size = %s", size)
    other = signed(Head(keys_origin(), size, bytes(32)), keys.signer())
    attack("INSERT INTO audit_checkpoint VALUES (%s, %s, %s, %s, '0', now())", size, bytes(32), b"", other)
    assert "forked checkpoint" in {each.kind for each in damages()}


def test_foreign_signature_and_a_tree_rewritten_with_another_key(attack: Attack, log: list[UUID]) -> None:
    """The owner drops an entry, rebuilds leaves and checkpoints, and signs with a key of their own."""
    index = at(log[3])
    attack("DELETE FROM audit_entry WHERE id = %s", log[3])
    attack("DELETE FROM audit_leaf WHERE entry_id = %s", log[3])
    shift(attack, index, -1)
    attack("DELETE FROM audit_checkpoint")
    peaks = Peaks()
    for (leaf,) in attack("SELECT leaf_hash FROM audit_leaf ORDER BY leaf_index"):
        peaks.append(bytes(leaf))
    put_checkpoint(attack, peaks, OneKey())

    found = damages()

    assert (found[0].kind, found[0].index) == ("deleted", index)
    assert {"foreign signature", "truncated tail", "rolled-back checkpoint"} <= {each.kind for each in found}


def test_clock_backwards_in_an_entry(attack: Attack, log: list[UUID], sealer: Sealer) -> None:
    """Written with every key, but of another time than its id."""
    late, text = insert_true_entry(attack)
    values = json.loads(text) | {"timestamp": "2020-01-01T00:00:00.000000Z"}
    attack('UPDATE audit_entry SET "timestamp" = %s, mac = %s WHERE id = %s', values["timestamp"], keys.mac(canonical(values)), late)
    seal_all(sealer)
    assert first()[:2] == ("clock backwards", str(late))


def test_clock_backwards_in_the_checkpoints(attack: Attack, log: list[UUID]) -> None:
    attack("UPDATE audit_checkpoint SET made_at = made_at - interval '1 hour' WHERE tree_size = %s", len(everything()))
    assert first()[0] == "clock backwards"


def test_an_entry_later_than_its_checkpoint(attack: Attack, log: list[UUID]) -> None:
    attack("UPDATE audit_checkpoint SET made_at = made_at - interval '1 day'")
    assert first()[0] == "clock backwards"


def test_forged_and_sealed_all_the_same(attack: Attack, log: list[UUID], sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody got hold of the sealer's process and made it seal what has no MAC."""
    late, _ = insert_true_entry(attack)
    attack("UPDATE audit_entry SET mac = %s WHERE id = %s", bytes(32), late)
    monkeypatch.setattr(sealing, "hmac", type("Blind", (), {"compare_digest": staticmethod(lambda one, two: True)}))
    seal_all(sealer)
    monkeypatch.undo()
    assert first()[:2] == ("forged", str(late))


def test_a_database_that_lies_by_functions_of_its_own(attack: Attack, log: list[UUID]) -> None:
    """A better match than PostgreSQL's own function would show the verifier what the entry used to say."""
    index = at(log[5])
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", log[5])
    truth = "pg_catalog.to_json(replace($1, 'nurse', 'system'))"
    attack(f"CREATE FUNCTION public.to_json(text) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT {truth} $$")
    try:
        assert first() == ("edited", str(log[5]), index)
    finally:
        attack("DROP FUNCTION public.to_json(text)")


def test_a_partition_emptied(attack: Attack, log: list[UUID]) -> None:
    (partition,) = attack("SELECT tableoid::regclass::text FROM audit_entry WHERE id = %s", log[0])[0]
    attack(f"DELETE FROM {partition}")
    kind, _, index = first()
    assert (kind, index) == ("deleted", 0)


def test_against_what_was_kept_elsewhere(attack: Attack, log: list[UUID], sealer: Sealer, tmp_path: Path) -> None:
    """The owner may even write this machine's checkpoint files; the copies kept elsewhere they may not."""
    elsewhere, size = tmp_path / "elsewhere", len(everything())
    subprocess.run(["cp", "-r", str(sealer.tiles.root), str(elsewhere)], check=True)
    note = tmp_path / "note"
    note.write_text((elsewhere / "checkpoint").read_text())
    cut(attack, log[-4:], size - 4)
    for name in ("checkpoint", "checkpoints.log"):
        (sealer.tiles.root / name).write_text(
            "".join(f"{row[0]}\n" for row in attack("SELECT note FROM audit_checkpoint ORDER BY tree_size"))
            if name.endswith("log")
            else attack("SELECT note FROM audit_checkpoint ORDER BY tree_size DESC LIMIT 1")[0][0]
        )

    assert damages() == []
    for kept in (elsewhere, note, str(elsewhere)):
        assert "truncated tail" in {each.kind for each in damages(against=kept)}, kept
    with pytest.raises(FileNotFoundError):
        Verifier(tmp_path / "nowhere")


def test_since_a_checkpoint_that_is_trusted(log: list[UUID], sealer: Sealer, written: Write) -> None:
    note = sealer.tiles.newest()
    size = sealer.peaks.size
    written(9)
    seal_all(sealer)

    report = Verifier(since=note).run()

    assert report.ok, report.damages
    assert (report.since, report.entries, report.tree_size) == (size, 9, size + 9)
    assert report.root == sealer.peaks.root().hex()


def test_since_sees_what_comes_after_and_takes_only_a_checkpoint_of_ours(attack: Attack, log: list[UUID], sealer: Sealer) -> None:
    size = len(everything())
    (note,) = attack("SELECT note FROM audit_checkpoint WHERE tree_size = %s", size - 4)[0]
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = ANY(%s)", [log[2], log[-2]])
    assert first(since=note)[:2] == ("edited", str(log[-2]))
    assert first()[:2] == ("edited", str(log[2]))

    with pytest.raises(Untrusted, match="foreign signature"):
        Verifier(since=signed(Head(keys_origin(), size, bytes(32)), OneKey()))
    with pytest.raises(Untrusted, match="does not contain"):
        Verifier(since=signed(Head(keys_origin(), size - 4, bytes(32)), keys.signer())).run()
    with pytest.raises(Untrusted, match="malformed"):
        Verifier(since="hello")


def test_the_command_in_several_processes(log: list[UUID], sealer: Sealer, written: Write, tmp_path: Path) -> None:
    """Pieces by two processes give the report of one."""
    written(5)
    alone = Verifier().run()
    two = command(sealer, "--jobs", "2", "--json")
    assert two.returncode == 0, two.stderr
    found = json.loads(two.stdout)
    assert (found["ok"], found["tree_size"], found["root"]) == (True, alone.tree_size, alone.root)
    assert found["entries"] == alone.entries
    note = tmp_path / "note"
    note.write_text(sealer.tiles.newest())
    told = command(sealer, "--jobs", "2", "--since", str(note)).stdout
    assert "0 sealed entries after the first" in told
    assert "the log verifies" in told


def test_the_command_ends_as_scripts_expect(log: list[UUID], sealer: Sealer) -> None:
    other = OneKey().public_key().hex()
    call_command("verify_audit", "--jobs", "1")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--jobs", "1", "--key", other)
    assert ended.value.code == 1
    for wrong in (("--jobs", "0"), ("--key", "abc"), ("--since", "/nonexistent"), ("--against", "/nonexistent")):
        with pytest.raises(CommandError):
            call_command("verify_audit", *wrong)


def test_without_a_sealer_the_command_says_so(settings: Settings, tmp_path: Path, transactional_db: None) -> None:
    settings.AUDIT_CHECKPOINTS = tmp_path
    with pytest.raises(CommandError, match="has the sealer run"):
        call_command("verify_audit")


@given(st.binary(max_size=200))
def test_the_mac_is_hmac_sha_256(text: bytes) -> None:
    made = keys.LocalMac()
    assert made(text) == made(text) == hmac.digest(made.key, text, "sha256")


def test_memory_does_not_grow_with_the_log(sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five times the entries, the same peak; the full dose is in tests/bench."""

    cut_small(monkeypatch, level=9)

    def peak() -> tuple[Report, int]:
        tracemalloc.start()
        try:
            report = Verifier().run()
            return report, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    with seeded(5_000, months=2, sealer=sealer):
        _, before = peak()
        with seeded(20_000, months=2, sealer=sealer):
            report, after = peak()
    assert report.entries >= 25_000
    assert after < before * 1.25


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
