"""What people take home reaches back through archived months: a patient's accesses with proofs, and exports of entries."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from audit import verify
from audit.ledger import SYSTEM, archiving, proving, unit
from audit.ledger.archives import ArchiveBroken
from audit.ledger.entries import COLUMNS, canonical
from audit.ledger.keys import mac
from audit.ledger.models import Archive, Checkpoint, Entry
from audit.ledger.sealing import Sealer
from audit.review import selectors
from audit.review.errors import ArchiveUnavailable
from audit.review.models import Disclosure
from audit.review.selectors import whole
from audit.tlog.reading import TileReader
from config import storage
from tests.audit.conftest import seal_all, sealer
from tests.audit.seeding import seeded
from tests.cast import Cast
from tests.conftest import AsOwner
from tests.people import Browser, ClientFor
from tests.review.test_archived_months import Past, archive, past
from tests.review.test_exports import EXPORTS, FORMATS, GOING, lines, take

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
__all__ = ["past", "sealer"]  # fixtures
LONG_AGO = {"starts_at": "2019-01-01T00:00:00Z", "ends_at": "2020-01-01T00:00:00Z"}
JUNE = datetime(2019, 6, 28, tzinfo=UTC)


@pytest.fixture
def twice(past: Past, cast: Cast, sealer: Sealer) -> Iterator[Past]:
    """The same month again, sealed after the first: its leaves are not in the order of the ids, as after late commits."""
    with seeded(60, months=1, until=JUNE, sealer=sealer, actors=[past.thief], records=[cast.pia_record.pk]):
        yield past


def document(browser: Browser, cast: Cast) -> list[str]:
    reply = browser.get(f"/api/v1/patients/{cast.pia_record.pk}/accesses/proofs/")
    assert reply.status_code == 200, reply.content
    return b"".join(reply.streaming_content).decode().splitlines(keepends=True)  # type: ignore[attr-defined]


def of_2019(text: list[str]) -> list[str]:
    return [line for line in text[1:-1] if json.loads(line)["entry"]["timestamp"] < "2020"]


@pytest.mark.parametrize("page", [2_000, 7])
def test_a_patients_document_reaches_back_through_archives_and_verifies(
    twice: Past, cast: Cast, client_for: ClientFor, sealer: Sealer, tmp_path: Path, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "ARCHIVED_PAGE", page)  # seven: the month is read many times over, seven entries at a time
    pia = client_for(cast.pia)
    before = of_2019(document(pia, cast))
    leaves = [json.loads(line)["leaf_index"] for line in before]
    assert len(before) > 40 and leaves != sorted(leaves)
    archive("--drop")
    seal_all(sealer)

    after = document(pia, cast)

    key = sealer.tiles.root / "public-key"
    (tmp_path / "document").write_text("".join(after))
    assert verify.main([str(tmp_path / "document"), "--key", str(key)]) == 0
    assert [json.loads(line)["entry"] for line in of_2019(after)] == [json.loads(line)["entry"] for line in before]
    assert [json.loads(line)["leaf_index"] for line in of_2019(after)] == leaves
    assert {json.loads(line)["name"] for line in of_2019(after)} == {"dr_dee"}
    assert len(after) - 2 > len(before)  # and what happened since
    cut = [line for line in after if line != of_2019(after)[3]]
    assert verify.main([_kept(tmp_path, cut)]) == 1


def _kept(folder: Path, text: list[str]) -> str:
    (folder / "cut").write_text("".join(text))
    return str(folder / "cut")


@pytest.mark.parametrize(
    ("format", "by"), [*((format, "thief") for format in FORMATS), *(("ndjson", by) for by in ("patient", "act", "time"))]
)
def test_exports_hold_the_same_before_and_after(twice: Past, cast: Cast, format: str, by: str) -> None:
    wanted = {
        "thief": {"actor": str(twice.thief)},
        "patient": {"patient": str(cast.pia_record.pk)},
        "act": {"act": "record.opened"},
        "time": {"starts_at": "2019-06-10T00:00:00Z", "ends_at": "2019-06-20T00:00:00Z"},
    }[by]
    before = take(twice.officer, format, filters=LONG_AGO | wanted).splitlines()
    assert len(before) > 4
    told = set(Disclosure.objects.values_list("pk", flat=True))
    archive("--drop")
    assert not Entry.objects.filter(pk=twice.entry).exists()

    after = take(twice.officer, format, filters=LONG_AGO | wanted)

    assert sorted(after.splitlines()) == sorted(before)
    named = {patient for patient in twice.patients if str(patient) in after}
    assert set(Disclosure.objects.exclude(pk__in=told).values_list("patient_id", flat=True)) == named != set()
    if format == "ndjson":
        assert all(mac(canonical({name: each[name] for name in COLUMNS})).hex() == each["mac"] for each in lines(after))
    if format == "csv":
        assert {row["actor_name"] for row in csv.DictReader(io.StringIO(after))} == {"dr_dee"}


def test_the_entries_of_an_incident_are_taken_out_of_archives_too(past: Past) -> None:
    survey = past.incident()
    past.officer.post(survey, {})
    address = survey.replace("survey", "exports")
    before = take(past.officer, "fhir", address)
    archive("--drop")
    assert sorted(take(past.officer, "fhir", address).splitlines()) == sorted(before.splitlines()) != []


def test_a_month_that_is_archived_and_still_there_is_taken_out_once(past: Past, sealer: Sealer, cast: Cast, client_for: ClientFor) -> None:
    before = take(past.officer, "ndjson", filters=LONG_AGO)
    pia = client_for(cast.pia)
    accesses = of_2019(document(pia, cast))
    with unit(SYSTEM, channel="command"):
        for month in archiving.expired():
            archiving.archive(month, TileReader(sealer.tiles.root))
    assert Archive.objects.exists()
    assert take(past.officer, "ndjson", filters=LONG_AGO) == before
    assert [json.loads(line)["entry"] for line in of_2019(document(pia, cast))] == [json.loads(line)["entry"] for line in accesses]


def test_a_month_that_leaves_while_it_is_read_breaks_the_stream(past: Past, sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it read and the other half gone would be an export that looks whole."""
    monkeypatch.setattr(whole, "BATCH", 3)
    with unit(SYSTEM, channel="command"):
        made = [archiving.archive(month, TileReader(sealer.tiles.root)) for month in archiving.expired()]
        pages = selectors.pages(selectors.Sought(columns={"actor_id": str(past.thief)}))
        assert len(next(pages)) == 3
        connections["default"].close()
        for month in made:
            archiving.detach(month)
        with pytest.raises(ArchiveUnavailable):
            list(pages)
        assert sum(map(len, selectors.pages(selectors.Sought(columns={"actor_id": str(past.thief)})))) == 40


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_what_cannot_be_opened_is_said_before_anything_leaves(past: Past, cast: Cast, client_for: ClientFor, damage: str) -> None:
    archive("--drop")
    for made in Archive.objects.all():
        path = Path(storages["archives"].path(made.place))
        path.unlink() if damage == "gone" else path.write_bytes(path.read_bytes()[:-20])
    reply = past.officer.post(EXPORTS, {"format": "csv", **GOING})
    assert (reply.status_code, reply.json()["code"]) == (503, "archive_unavailable")
    assert not Disclosure.objects.exists()
    recent = {"starts_at": "2020-01-01T00:00:00Z"}  # asks nothing of the archives
    assert past.officer.post(EXPORTS, {"format": "csv", **GOING, "filters": recent}).status_code == 200
    proofs = client_for(cast.pia).get(f"/api/v1/patients/{cast.pia_record.pk}/accesses/proofs/")
    assert (proofs.status_code, proofs.json()["code"]) == (503, "proofs_unavailable")


@pytest.mark.parametrize("damage", ["gone", "no directory"])
def test_the_command_that_proves_says_that_an_archive_cannot_be_read(past: Past, tmp_path: Path, settings: Settings, damage: str) -> None:
    archive("--drop")
    call_command("prove_audit", "--output", str(tmp_path / "document"), "entry", str(past.entry))
    assert verify.main([str(tmp_path / "document")]) == 0
    if damage == "gone":
        for made in Archive.objects.all():
            Path(storages["archives"].path(made.place)).unlink()
    else:
        settings.STORAGES = settings.STORAGES | {"archives": storage.place(tmp_path / "document", "")}  # a disk that is another thing now
    with pytest.raises(CommandError, match=r"2019-0[56]"):
        call_command("prove_audit", "entry", str(past.entry))
    size = Checkpoint.objects.latest("tree_size").tree_size
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("prove_audit", "--output", str(tmp_path / "nowhere" / "document"), "consistency", str(size))


def test_what_ends_too_early_breaks_the_stream_and_no_document_is_whole(
    past: Past, cast: Cast, client_for: ClientFor, as_owner: AsOwner, tmp_path: Path
) -> None:
    archive("--drop")
    as_owner("ALTER TABLE audit_archive DISABLE TRIGGER USER")
    as_owner("UPDATE audit_archive SET sha256 = %s", bytes(32))
    told: list[Any] = []
    reply = client_for(cast.pia).get(f"/api/v1/patients/{cast.pia_record.pk}/accesses/proofs/")
    with pytest.raises(ArchiveBroken):
        told.extend(reply.streaming_content)  # type: ignore[attr-defined]
    assert verify.main([_kept(tmp_path, [part.decode() for part in told])]) == 1
    assert past.officer.post(EXPORTS, {"format": "ndjson", **GOING, "filters": LONG_AGO}).status_code == 500  # before its first part


def test_thousands_of_archived_entries_pass_in_flat_memory(past: Past, cast: Cast, client_for: ClientFor, sealer: Sealer) -> None:
    with seeded(3_000, months=1, until=JUNE, sealer=sealer, actors=[past.thief], records=[cast.pia_record.pk]):
        archive("--drop")
        export = past.officer.post(EXPORTS, {"format": "ndjson", **GOING, "filters": LONG_AGO})
        accesses = client_for(cast.pia).get(f"/api/v1/patients/{cast.pia_record.pk}/accesses/proofs/")
        tracemalloc.start()
        try:
            assert sum(chunk.count(b"\n") for chunk in export.streaming_content) == 3_040  # type: ignore[attr-defined]
            of_export = tracemalloc.get_traced_memory()[1]
            tracemalloc.reset_peak()
            assert sum(chunk.count(b"\n") for chunk in accesses.streaming_content) > 1_500  # type: ignore[attr-defined]
            of_document = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert of_export < 12_000_000 and of_document < 16_000_000, (of_export, of_document)
