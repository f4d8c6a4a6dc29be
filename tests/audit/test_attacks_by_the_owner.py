"""C2 with the privileges of the tables' owner, who may do anything in the database but has neither the MAC key nor the signing key.

Triggers refuse the plain attempts; with the triggers off, the verifier names what was done, against checkpoints kept outside.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import call_command
from django.db import connections
from pytest_django import Settings

from audit.ledger import keys, uuid7
from audit.ledger.sealing import Sealer
from audit.ledger.verification import Damage, Report, Verifier
from config import storage
from tests.audit.conftest import Write, seal_all
from tests.audit.seeding import Seeded, seeded

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
AsOwner = Callable[..., list[tuple[Any, ...]]]
TABLES = ("audit_entry", "audit_leaf", "audit_checkpoint", "audit_archive")
MONTH = "audit_entry_2019_05"


@pytest.fixture
def log(sealer: Sealer, written: Write, as_owner: AsOwner) -> Iterator[Sealer]:
    """A sealed log with months of 2019 and of today; put back to the letter afterwards, for the tests to come."""
    written(4)
    seal_all(sealer)
    with seeded(120, months=3, until=datetime(2019, 6, 28, tzinfo=UTC), sealer=sealer) as past:
        seal_all(sealer)
        keep(as_owner, "kept")
        yield sealer
        connections["owner"].close()
        _put_back(as_owner, past)


def keep(as_owner: AsOwner, name: str) -> None:
    for table in TABLES:
        as_owner(f"CREATE TABLE {name}_{table} AS SELECT * FROM {table}")


def restore(as_owner: AsOwner, name: str) -> None:
    for table in TABLES:
        as_owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        as_owner(f"DELETE FROM {table}")
        as_owner(f"INSERT INTO {table} SELECT * FROM {name}_{table}")
        as_owner(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        as_owner(f"DROP TABLE {name}_{table}")


def _put_back(as_owner: AsOwner, past: Seeded) -> None:
    attached = {name for (name,) in as_owner("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass")}
    for name in set(past.partitions) - attached:
        as_owner(f"DROP TABLE IF EXISTS {name}")
        as_owner(f"CREATE TABLE {name} (LIKE audit_entry INCLUDING ALL)")
        year, month = name.split("_")[2:]
        bounds = f"audit_id_at('{year}-{month}-01 00:00+00'), audit_id_at('{year}-{month}-01 00:00+00'::timestamptz + interval '1 month')"
        first, last = as_owner(f"SELECT {bounds}")[0]
        as_owner(f"ALTER TABLE audit_entry ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{last}')")
    restore(as_owner, "kept")


def unarmed(as_owner: AsOwner, *tables: str) -> None:
    for table in tables or TABLES:
        as_owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def named(log: Sealer, against: Path | None = None) -> Report:
    report = Verifier(against or log.tiles.root).run()
    assert not report.ok
    return report


def kinds(report: Report) -> set[str]:
    return {each.kind for each in report.damages}


def first_in(as_owner: AsOwner, where: str) -> tuple[int, str]:
    """(leaf, entry) of the first sealed entry there."""
    rows = as_owner(f"SELECT l.leaf_index, l.entry_id::text FROM audit_leaf l JOIN {where} e ON e.id = l.entry_id ORDER BY 1 LIMIT 1")
    return rows[0]  # type: ignore[return-value]


def test_the_plain_attempts_meet_the_triggers(log: Sealer, as_owner: AsOwner) -> None:
    assert Verifier().run().ok
    for table in (*TABLES, MONTH):
        for attempt in ("TRUNCATE {0}", "TRUNCATE {0} CASCADE"):
            with pytest.raises(psycopg.Error, match="append-only"):
                as_owner(attempt.format(table))
    for table in ("audit_entry", MONTH, "audit_leaf", "audit_checkpoint"):
        column = {"audit_leaf": "leaf_hash", "audit_checkpoint": "note"}.get(table, "role")
        for attempt in (
            "UPDATE {0} SET {1} = {1}",
            "DELETE FROM {0}",
            "MERGE INTO {0} USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
        ):
            with pytest.raises(psycopg.Error, match="append-only"):
                as_owner(attempt.format(table, column))
    with pytest.raises(psycopg.Error, match="permission denied"):
        as_owner("SET session_replication_role = replica")
    assert Verifier().run().ok


@pytest.mark.parametrize("how", ["TRUNCATE {0}", "DELETE FROM {0}", "DROP TABLE {0}", "ALTER TABLE audit_entry DETACH PARTITION {0}"])
def test_an_emptied_dropped_or_detached_month_is_named(log: Sealer, as_owner: AsOwner, how: str) -> None:
    leaf, entry = first_in(as_owner, MONTH)
    unarmed(as_owner, "audit_entry", MONTH)
    as_owner(how.format(MONTH))
    report = named(log)
    assert (report.damages[0].kind, report.damages[0].entry, report.damages[0].index) == ("deleted", entry, leaf)


def test_all_entries_gone_are_named(log: Sealer, as_owner: AsOwner) -> None:
    unarmed(as_owner)
    as_owner("DELETE FROM audit_entry")
    report = named(log)
    assert (report.damages[0].kind, report.damages[0].index) == ("deleted", 0)


@pytest.mark.parametrize("tables", [["audit_leaf"], ["audit_leaf", "audit_checkpoint"], ["audit_entry", "audit_leaf", "audit_checkpoint"]])
def test_a_truncated_tree_is_named(log: Sealer, as_owner: AsOwner, tables: list[str]) -> None:
    unarmed(as_owner)
    for table in tables:
        as_owner(f"DELETE FROM {table}")
    found = kinds(named(log))
    assert "truncated tail" in found
    assert ("rolled-back checkpoint" in found) == ("audit_checkpoint" in tables)


def test_an_old_dump_that_was_restored_is_named(log: Sealer, written: Write, as_owner: AsOwner) -> None:
    """Everything in it fits together: only what was kept outside shows that more had been sealed."""
    keep(as_owner, "old")
    written(5)
    seal_all(log)
    assert Verifier().run().ok
    restore(as_owner, "old")
    assert {"truncated tail", "rolled-back checkpoint"} <= kinds(named(log))


def test_an_old_dump_and_then_new_entries_are_named(log: Sealer, written: Write, as_owner: AsOwner) -> None:
    """The same, and the log has grown past its old size since, under a sealer that knows nothing of what was published."""
    keep(as_owner, "old")
    lost = written(5)
    seal_all(log)
    outside = Path(str(log.tiles.root) + "-outside")
    shutil.copytree(log.tiles.root, outside)
    restore(as_owner, "old")
    shutil.rmtree(log.tiles.root)
    again = Sealer()
    assert written(9)
    seal_all(again)
    assert Verifier(again.tiles.root).run().ok  # by itself
    report = named(again, outside)
    assert report.damages[0].index == again.peaks.size - 9
    assert str(lost[0]) not in {each.entry for each in report.damages}


@pytest.fixture
def stranger(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """From here on the sealer signs, publishes and authenticates with the attacker's own keys."""
    path, kept = tmp_path / "stranger.pem", (settings.AUDIT_SIGNING_KEY_FILE, settings.AUDIT_CHECKPOINTS)
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    settings.AUDIT_SIGNING_KEY_FILE, settings.AUDIT_CHECKPOINTS = path, tmp_path / "strangers"
    keys.signer.cache_clear()
    yield
    settings.AUDIT_SIGNING_KEY_FILE, settings.AUDIT_CHECKPOINTS = kept
    keys.signer.cache_clear()


def test_a_whole_tree_rewritten_with_another_key_is_named(log: Sealer, as_owner: AsOwner, stranger: None) -> None:
    """An entry is dropped, all others are sealed anew: complete, gapless, signed, and not ours."""
    leaf, entry = first_in(as_owner, MONTH)
    unarmed(as_owner)
    as_owner("DELETE FROM audit_entry WHERE id = %s", entry)
    as_owner("DELETE FROM audit_leaf")
    as_owner("DELETE FROM audit_checkpoint")
    forged = Sealer()
    seal_all(forged)
    assert Verifier(forged.tiles.root).run().ok  # by its own word
    report = named(log)
    assert "foreign signature" in kinds(report)
    assert any(each.index is not None and each.index <= leaf and each.kind != "foreign signature" for each in report.damages)


def test_the_same_with_the_published_files_replaced_is_named_by_the_key_that_was_kept(
    log: Sealer, as_owner: AsOwner, stranger: None
) -> None:
    """Whoever owns the disk too replaces checkpoints, tiles and public key: a witness kept the key, and a checkpoint."""
    key = bytes.fromhex((log.tiles.root / "public-key").read_text().strip())
    unarmed(as_owner)
    as_owner("DELETE FROM audit_leaf")
    as_owner("DELETE FROM audit_checkpoint")
    forged = Sealer()
    seal_all(forged)
    report = Verifier(forged.tiles.root, key).run()
    assert kinds(report) == {"foreign signature"}


def test_a_back_dated_insert_is_named(log: Sealer, as_owner: AsOwner) -> None:
    """With a MAC that is genuine, but of another entry: the owner has no key to make one."""
    unarmed(as_owner)
    old = first_in(as_owner, MONTH)[1]
    added = old[:-6] + "ffffff"
    columns = [name for (name,) in as_owner("SELECT attname FROM pg_attribute WHERE attrelid = 'audit_entry'::regclass AND attnum > 0")]
    others = ", ".join(f'"{name}"' for name in columns if name != "id")
    as_owner(f"INSERT INTO audit_entry (id, {others}) SELECT %s, {others} FROM audit_entry WHERE id = %s", added, old)
    assert ("forged", added) in {(each.kind, each.entry) for each in named(log).damages}


def test_a_leaf_given_to_another_entry_is_named(log: Sealer, as_owner: AsOwner) -> None:
    leaf, _ = first_in(as_owner, MONTH)
    unarmed(as_owner)
    as_owner("UPDATE audit_leaf SET entry_id = %s WHERE leaf_index = %s", uuid7(), leaf)
    assert leaf in {each.index for each in named(log).damages}


def archive_all(settings: Settings, tmp_path: Path) -> Path:
    settings.STORAGES = settings.STORAGES | {"archives": storage.place(tmp_path / "archives", "")}
    call_command("archive_audit")
    return tmp_path / "archives"


def test_an_archived_log_verifies(log: Sealer, settings: Settings, tmp_path: Path, as_owner: AsOwner) -> None:
    archive_all(settings, tmp_path)
    assert as_owner("SELECT count(*) FROM audit_leaf l LEFT JOIN audit_entry e ON e.id = l.entry_id WHERE e.id IS NULL") == [(120,)]
    report = Verifier().run()
    assert report.ok, report.damages[:3]


@pytest.mark.parametrize("attack", ["file gone", "file changed", "row gone", "another file", "", ".", "..", "../../etc/passwd", "2019"])
def test_an_archive_that_was_touched_is_named(log: Sealer, settings: Settings, tmp_path: Path, as_owner: AsOwner, attack: str) -> None:
    leaf, entry = first_in(as_owner, MONTH)
    place = archive_all(settings, tmp_path)
    (file,), (other,) = place.glob("2019-05-*"), place.glob("2019-04-*")
    unarmed(as_owner)
    if attack == "file gone":
        file.unlink()
    elif attack == "file changed":
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    elif attack == "row gone":
        as_owner("DELETE FROM audit_archive WHERE month = '2019-05-01'")
    else:
        (place / "2019").mkdir()
        as_owner("UPDATE audit_archive SET place = %s WHERE month = '2019-05-01'", other.name if attack == "another file" else attack)
    report = named(log)
    if attack == "row gone":  # nothing says any more that there was an archive
        assert report.damages[0] == Damage("deleted", entry, leaf)
        return
    assert report.damages == [Damage("unreadable archive", entry, leaf)]  # once for all 41 of the month
    assert (report.unread, report.archived) == (41, 79)
    why = {"file gone": f"{file.name} is gone", "file changed": "of another key", "another file": "of another key"}
    assert len(report.archives) == 1 and report.archives[0].endswith(why.get(attack, "is no archive's place"))


def test_an_archive_that_is_cut_after_its_last_entry_is_named(log: Sealer, settings: Settings, tmp_path: Path, as_owner: AsOwner) -> None:
    """Every entry is there and fits; what lay behind them is not what was archived."""
    archive_all(settings, tmp_path)
    unarmed(as_owner)
    as_owner("UPDATE audit_archive SET sha256 = %s WHERE month = '2019-05-01'", bytes(32))
    ((leaf,),) = as_owner("SELECT first_leaf FROM audit_archive WHERE month = '2019-05-01'")
    report = named(log)
    assert report.damages == [Damage("unreadable archive", "archive 2019-05", leaf)]
    assert (report.unread, report.archived) == (0, 120)
