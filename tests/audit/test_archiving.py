"""An expired month leaves the database and nothing is lost: sealed, read back, on record, and every entry still proved."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest
from django.core.checks import run_checks
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections
from pytest_django import Settings

from audit.ledger import SYSTEM, archives, archiving, unit
from audit.ledger.archives import ArchiveBroken, Archived
from audit.ledger.archiving import NotArchivable, archive, detach
from audit.ledger.keys import mac
from audit.ledger.models import Archive, Entry, Leaf
from audit.ledger.sealing import Sealer, leaf_of
from audit.ledger.verification import Damage, Verifier
from audit.tlog.notes import opened
from audit.tlog.proofs import inclusion, verify_inclusion
from audit.tlog.reading import TileReader
from audit.tlog.tiles import write
from config import storage
from telehealth.vault import keyring, record_keys
from telehealth.vault.files.purposes import AUDIT_ARCHIVES
from telehealth.vault.models import RecordKey
from tests.audit.conftest import Write, seal_all
from tests.audit.seeding import Seeded, seeded
from tests.audit.test_bucket import moto_s3
from tests.database import production_rights
from tests.live import free_port

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
__all__ = ["moto_s3"]  # a fixture
AsOwner = Callable[..., list[tuple[Any, ...]]]
MAY, APRIL = date(2019, 5, 1), date(2019, 4, 1)
COUNT = 600


@pytest.fixture
def past(sealer: Sealer, written: Write, settings: Settings, tmp_path: Path, as_owner: AsOwner) -> Iterator[Seeded]:
    """Three months of 2019, sealed, with entries of today around them."""
    settings.STORAGES = settings.STORAGES | {"archives": storage.place(tmp_path / "archives", "")}
    written(3)
    seal_all(sealer)
    with seeded(COUNT, months=3, until=datetime(2019, 6, 28, tzinfo=UTC), sealer=sealer) as made:
        written(2)
        seal_all(sealer)
        yield made
        connections["owner"].close()
        for name in made.partitions:  # whoever cleans up drops them
            as_owner(f"CREATE TABLE IF NOT EXISTS {name} ()")
        as_owner("ALTER TABLE audit_archive DISABLE TRIGGER USER")
        as_owner("DELETE FROM audit_archive")
        as_owner("ALTER TABLE audit_archive ENABLE TRIGGER USER")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("archive_audit", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def in_month(month: date) -> list[tuple[int, UUID]]:
    """(leaf, id) of the month's entries, as the database knows them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.leaf_index, e.id FROM audit_entry e JOIN audit_leaf l ON l.entry_id = e.id "
            "WHERE e.id >= audit_id_at(%s) AND e.id < audit_id_at(%s) ORDER BY 1",
            [f"{month} 00:00+00", f"{month.replace(month=month.month + 1)} 00:00+00"],
        )
        return list(cursor.fetchall())


def reader(sealer: Sealer) -> TileReader:
    return TileReader(sealer.tiles.root)


def proved(row: Archived, source: TileReader) -> bool:
    """Inclusion of an archived entry in the newest signed checkpoint, from the published tiles."""
    note = source.checkpoint()
    head = opened(note, note.split("\n")[0], source.public_key())
    path = inclusion(row.leaf, head.size, source.nodes(head.size))
    return mac(row.text) == row.mac and verify_inclusion(leaf_of(row.text, row.mac), row.leaf, head.size, path, head.root)


def test_every_expired_month_is_archived_on_record_and_detached(past: Seeded, sealer: Sealer, written: Write) -> None:
    before, total = in_month(MAY), Entry.objects.count()
    assert len(before) > 150

    assert "2019-05: " in run()

    assert {str(each) for each in Archive.objects.all()} == {"2019-03", "2019-04", "2019-05", "2019-06"}
    assert archiving.expired() == []
    assert Entry.objects.count() == total - COUNT + 4  # the four acts
    assert in_month(MAY) == []
    made = Archive.objects.get(month=MAY)
    act = Entry.objects.filter(act="ledger.archived", detail__contains='"month":"2019-05"').order_by("-id")[0]
    assert json.loads(act.detail) == {
        "entries": len(before),
        "first_leaf": before[0][0],
        "last_leaf": before[-1][0],
        "month": "2019-05",
        "sha256": bytes(made.sha256).hex(),
    }
    assert [(row.leaf, row.entry_id) for row in archives.entries_in(made)] == before
    written(2)  # and life goes on
    seal_all(sealer)
    assert Leaf.objects.filter(entry_id=act.pk).exists()


def test_archived_entries_are_still_proved(past: Seeded, sealer: Sealer) -> None:
    before = in_month(APRIL) + in_month(MAY)
    run()
    rows = list(archives.rows(before[0][0], before[-1][0]))
    assert [(row.leaf, row.entry_id) for row in rows] == before  # across the seam of two files
    assert all(proved(row, reader(sealer)) for row in rows[:: len(rows) // 50])
    one = archives.entry_of(before[7][1])
    assert one is not None and proved(one, reader(sealer))
    assert archives.entry_of(UUID(int=before[7][1].int + 1)) is None
    assert [row.leaf for row in archives.rows(before[3][0], before[5][0])] == [leaf for leaf, _ in before[3:6]]


def test_an_archive_proves_its_entries_by_itself(past: Seeded, sealer: Sealer, tmp_path: Path) -> None:
    """Its own tiles and the checkpoint in its head are enough: no database, no published tiles."""
    run("--month", "2019-05")
    made = Archive.objects.get(month=MAY)
    head = archives.head_of(made)
    alone = tmp_path / "alone"
    for path, hashes in archives.tiles_in(made):
        write(alone / path, hashes)
    write(alone / "checkpoint", head["checkpoint"].encode())
    write(alone / "public-key", sealer.tiles.root.joinpath("public-key").read_bytes())
    rows = list(archives.entries_in(made))
    assert all(proved(row, TileReader(alone)) for row in rows)
    assert len(rows) == head["entries"] > 150


def test_either_of_its_two_keys_opens_an_archive(past: Seeded) -> None:
    """The database may be gone, or the key-encryption key of its day retired."""
    run("--month", "2019-05")
    made, place = Archive.objects.get(month=MAY), storages["archives"]
    with place.open(made.place, "rb") as file:
        raw = file.read()
    kek_id = keyring.wrap(b"k" * 32)[0].encode()
    place.delete(made.place)
    place.save(made.place, ContentFile(raw.replace(kek_id, b"?" * len(kek_id), 1)))
    assert len(list(archives.entries_in(made))) == made.entries  # by the key of its purpose

    place.delete(made.place)
    place.save(made.place, ContentFile(raw))
    RecordKey.objects.filter(record_id=AUDIT_ARCHIVES).delete()
    record_keys.cache.clear()
    assert len(list(archives.entries_in(made))) == made.entries  # by the one in the keyring


def test_the_key_of_archives_is_not_replaced(past: Seeded) -> None:
    """Its re-wrapping is followed; a new one would leave every file behind."""
    run("--month", "2019-05")
    with pytest.raises(CommandError, match="key_in_files"):
        call_command("rekey_record", str(AUDIT_ARCHIVES))


@pytest.mark.parametrize("damage", ["byte", "cut", "gone", "other month", "row"])
def test_a_damaged_archive_says_so(past: Seeded, as_owner: AsOwner, damage: str) -> None:
    run()
    made, other = Archive.objects.get(month=MAY), Archive.objects.get(month=APRIL)
    place = storages["archives"]
    with place.open(made.place, "rb") as file:
        raw = file.read()
    if damage == "row":
        made.sha256 = b"\x00" * 32
    else:
        place.delete(made.place)
    if damage == "byte":
        place.save(made.place, ContentFile(raw[:5_000] + bytes([raw[5_000] ^ 1]) + raw[5_001:]))
    elif damage == "cut":
        place.save(made.place, ContentFile(raw[:-20]))
    elif damage == "other month":
        with place.open(other.place, "rb") as file:
            place.save(made.place, ContentFile(file.read()))
    with pytest.raises(ArchiveBroken, match="2019-05"):
        list(archives.entries_in(made))
    with pytest.raises((ArchiveBroken, NotArchivable)):
        archiving.drop(made)
    assert as_owner("SELECT to_regclass('audit_entry_2019_05') IS NOT NULL") == [(True,)]


def test_what_has_not_expired_stays(past: Seeded, sealer: Sealer) -> None:
    this = datetime.now(UTC).date().replace(day=1)
    with unit(SYSTEM, channel="command"), pytest.raises(NotArchivable, match="is kept for 6 years"):
        archive(this, reader(sealer))
    with pytest.raises(CommandError, match="is kept for 6 years"):
        run("--month", f"{this:%Y-%m}")
    assert this in archiving.partitions()


@pytest.mark.parametrize("years", [5, 0, -1])
def test_less_than_six_years_is_refused(settings: Settings, years: int, transactional_db: None) -> None:
    settings.AUDIT_RETENTION_YEARS = years
    with pytest.raises(CommandError, match="at least 6"):
        run("--dry-run")
    assert "telehealth.E007" in {each.id for each in run_checks()}


def test_more_than_six_years_keeps_longer(past: Seeded, settings: Settings) -> None:
    settings.AUDIT_RETENTION_YEARS = 10
    assert archiving.expired() == []


def test_a_dry_run_changes_nothing(past: Seeded) -> None:
    total = Entry.objects.count()
    assert "2019-05 has expired" in run("--dry-run")
    assert (Entry.objects.count(), Archive.objects.count()) == (total, 0)


@pytest.mark.parametrize(
    ("attack", "why"),
    [
        ("UPDATE audit_entry SET role = 'nobody' WHERE id = %s", "does not fit"),
        ("DELETE FROM audit_entry WHERE id = %s", "missing"),
        ("UPDATE audit_entry SET mac = 'x' WHERE id = %s", "does not fit"),
        ("DELETE FROM audit_leaf WHERE entry_id = %s", "not sealed"),
        ("UPDATE audit_leaf SET leaf_index = 1000000 WHERE entry_id = %s", "missing"),
    ],
)
def test_damage_is_not_laundered_by_archiving(past: Seeded, sealer: Sealer, as_owner: AsOwner, attack: str, why: str) -> None:
    """As the owner, with the triggers off."""
    victim = in_month(MAY)[17][1]
    for table in ("audit_entry", "audit_leaf"):
        as_owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    as_owner(attack, victim)
    with pytest.raises(CommandError, match=why):
        run("--month", "2019-05")
    assert not Archive.objects.exists()
    assert MAY in archiving.partitions()


def test_tiles_of_another_tree_are_not_archived_under(past: Seeded, sealer: Sealer) -> None:
    tile = sealer.tiles.root / f"tile/0/{in_month(MAY)[0][0] // 256:03}"
    raw = tile.read_bytes()
    tile.write_bytes(raw[:64] + bytes(32) + raw[96:])
    with pytest.raises(CommandError, match=r"does not fit|not of the newest"):
        run()


def test_a_run_that_ended_in_the_middle_is_taken_up(past: Seeded, sealer: Sealer) -> None:
    before = Entry.objects.filter(act="ledger.archived").count()
    with unit(SYSTEM, channel="command"):
        made = archive(MAY, reader(sealer))  # archived, and then the machine went down
        assert archive(MAY, reader(sealer)).place == made.place
    assert MAY in archiving.partitions()
    run("--month", "2019-05")
    assert MAY not in archiving.partitions()
    assert Entry.objects.filter(act="ledger.archived").count() == before + 1


def test_a_detaching_that_was_interrupted_is_ended(past: Seeded, sealer: Sealer, as_owner: AsOwner) -> None:
    """PostgreSQL commits a concurrent detach in two steps, and waits for readers between them: there it is broken off."""
    with unit(SYSTEM, channel="command"):
        made = archive(MAY, reader(sealer))
    connections["owner"].close()
    connection.set_autocommit(False)  # a reader's transaction, open all the while
    try:
        list(Entry.objects.filter(pk=past.last))
        as_owner("SET statement_timeout = '300ms'")
        with pytest.raises(Exception, match="statement timeout"):
            as_owner("ALTER TABLE audit_entry DETACH PARTITION audit_entry_2019_05 CONCURRENTLY")
        as_owner("SET statement_timeout = 0")
    finally:
        connection.rollback()
        connection.set_autocommit(True)
    assert archiving.partitions()[MAY] is True
    assert detach(made)
    assert MAY not in archiving.partitions()


@pytest.fixture
def in_a_bucket(past: Seeded, moto_s3: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """`AUDIT_ARCHIVE_BUCKET`, as the settings make it of the environment; a client of its own."""
    for name, value in {"ENDPOINT_URL_S3": moto_s3, "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    bucket = f"archives-{uuid4().hex}"
    settings.STORAGES = settings.STORAGES | {"archives": storage.place(tmp_path / "unused", bucket)}
    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    yield client, bucket
    client.close()


def test_a_month_goes_to_a_bucket_and_is_read_from_there(past: Seeded, in_a_bucket: Any, sealer: Sealer, tmp_path: Path) -> None:
    client, bucket = in_a_bucket
    before = in_month(MAY)
    run("--month", "2019-05", "--drop")
    made = Archive.objects.get(month=MAY)
    raw = client.get_object(Bucket=bucket, Key=made.place)["Body"].read()
    assert raw[:4] == b"TVA\x01" and b"record.opened" not in raw
    assert not (tmp_path / "unused").exists()
    assert [row.leaf for row in archives.entries_in(made)] == [leaf for leaf, *_ in before]
    assert all(proved(row, reader(sealer)) for row in archives.entries_in(made))
    assert Verifier().run().ok

    for damaged in (raw[:-20], raw[:5_000] + bytes([raw[5_000] ^ 1]) + raw[5_001:]):
        client.put_object(Bucket=bucket, Key=made.place, Body=damaged)
        with pytest.raises(ArchiveBroken, match="2019-05"):
            list(archives.entries_in(made))
    client.delete_object(Bucket=bucket, Key=made.place)
    with pytest.raises(ArchiveBroken, match="gone"):
        list(archives.entries_in(made))
    assert {each.kind for each in Verifier().run().damages} == {"unreadable archive"}


def test_verifying_says_in_words_that_archives_are_out_of_reach(
    past: Seeded, in_a_bucket: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An outage is no damage: what else there is is verified, and it is said what was not. Once it is over the log verifies."""
    count, (leaf, entry) = len(in_month(MAY)), in_month(MAY)[0]
    run("--month", "2019-05", "--drop")
    reachable = settings.STORAGES
    with monkeypatch.context() as outage:
        outage.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
        outage.setenv("AWS_MAX_ATTEMPTS", "1")
        settings.STORAGES = reachable | {"archives": storage.place(tmp_path / "unused", in_a_bucket[1])}
        report = Verifier().run()
        with pytest.raises(SystemExit) as ended:
            call_command("verify_audit", "--jobs", "1")
    settings.STORAGES = reachable
    assert report.damages == [Damage("archive out of reach", str(entry), leaf)]
    assert (report.unread, report.archived, report.incomplete, report.ok) == (count, 0, True, False)
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert "archive 2019-05: " in said and f"{count:,} entries in archives that cannot be read were not verified" in said
    assert "NOT ALL OF THE LOG COULD BE VERIFIED" in said and "THE LOG DOES NOT VERIFY" not in said
    assert Verifier().run().ok


def test_a_bucket_that_is_not_there_archives_nothing(past: Seeded, in_a_bucket: Any) -> None:
    client, bucket = in_a_bucket
    client.delete_bucket(Bucket=bucket)
    with pytest.raises(CommandError, match="storage"):
        run("--month", "2019-05")
    assert MAY in archiving.partitions()
    assert not Archive.objects.filter(month=MAY).exists()


def test_dropping_needs_to_be_told_and_a_good_archive(past: Seeded, as_owner: AsOwner) -> None:
    run()
    assert as_owner("SELECT to_regclass('audit_entry_2019_05') IS NOT NULL") == [(True,)]
    assert "2019-05: table dropped" in run("--drop")
    assert as_owner("SELECT to_regclass('audit_entry_2019_05') IS NULL") == [(True,)]
    assert "dropped" not in run("--drop")
    assert len(list(archives.entries_in(Archive.objects.get(month=MAY)))) > 150


def test_the_runtime_role_cannot_touch_archives_or_detached_months(past: Seeded) -> None:
    attempts = [
        "INSERT INTO audit_archive (month, entries, sha256, place) VALUES ('2019-01-01', 0, decode(repeat('00', 32), 'hex'), '')",
        "UPDATE audit_archive SET place = ''",
        "DELETE FROM audit_archive",
        "TRUNCATE audit_archive",
        "SELECT 1 FROM audit_entry_2019_05",
        "UPDATE audit_entry_2019_05 SET role = ''",
        "DELETE FROM audit_entry_2019_05",
        "DROP TABLE audit_entry_2019_05",
    ]
    run("--month", "2019-05")
    with production_rights():  # as the next migration gives them: a detached month is an ordinary table by now
        for attempt in attempts:
            with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), connection.cursor() as cursor:
                cursor.execute(attempt)


def test_without_the_owner_there_is_no_archiving(settings: Settings, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> None:
    monkeypatch.setattr("audit.ledger.management.commands.archive_audit.connections", {"default": None})
    with pytest.raises(CommandError, match="MIGRATION_DATABASE_URL"):
        run()
