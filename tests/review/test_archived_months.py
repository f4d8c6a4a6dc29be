"""What left the database for an archive is still surveyed, proved and accounted for; an archive that is gone is said, not passed over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import connections
from pytest_django import Settings

from audit.ledger import SYSTEM, archiving, unit
from audit.ledger.models import Archive, Entry
from audit.ledger.sealing import Sealer
from audit.review.models import Affected, Disclosure, Incident
from audit.tlog.reading import TileReader
from config import storage
from tests.audit.conftest import sealer
from tests.audit.seeding import seeded
from tests.cast import Cast, make_patient
from tests.conftest import AsOwner
from tests.people import Browser, ClientFor

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
__all__ = ["sealer"]  # a fixture
COUNT = 40


@dataclass
class Past:
    officer: Browser
    thief: UUID
    entry: UUID
    patients: set[UUID]

    def incident(self) -> str:
        about = {"subject_kind": "account", "subject": str(self.thief), "discovered_on": "2026-01-01"}
        made = self.officer.post("/api/v1/incidents/", {**about, "starts_at": "2019-01-01T00:00:00Z", "ends_at": "2019-12-31T00:00:00Z"})
        return f"/api/v1/incidents/{made.json()['id']}/survey/"

    def survey(self) -> Any:
        return self.officer.post(self.incident(), {})


@pytest.fixture
def past(cast: Cast, client_for: ClientFor, sealer: Sealer, settings: Settings, tmp_path: Path, as_owner: AsOwner) -> Iterator[Past]:
    """A month of 2019 in which one account looked at three records."""
    settings.STORAGES = settings.STORAGES | {"archives": storage.place(tmp_path / "archives", "")}
    patients = {cast.pia_record.pk, cast.ned_record.pk, make_patient("Third", "Tom").pk}
    officer, thief = client_for(cast.privacy), cast.dr_dee.id
    officer.raise_request_exception = False
    with seeded(COUNT, months=1, until=datetime(2019, 6, 28, tzinfo=UTC), sealer=sealer, actors=[thief], records=list(patients)) as made:
        entry = Entry.objects.filter(id__lte=made.last, record_id__isnull=False).order_by("id")[3].pk
        yield Past(officer, thief, entry, patients)
        connections["owner"].close()
        for name in made.partitions:  # whoever cleans up drops them
            as_owner(f"CREATE TABLE IF NOT EXISTS {name} ()")
        as_owner("ALTER TABLE audit_archive DISABLE TRIGGER USER")
        as_owner("DELETE FROM audit_archive")
        as_owner("ALTER TABLE audit_archive ENABLE TRIGGER USER")


def archive(*arguments: str) -> None:
    call_command("archive_audit", *arguments, stdout=StringIO(), stderr=StringIO())
    connections["owner"].close()


def affected() -> list[tuple[Any, ...]]:
    return sorted(Affected.objects.values_list("patient_id", "first_at", "last_at", "entries"))


def test_a_survey_reads_archived_months_as_it_reads_the_others(past: Past) -> None:
    first = past.survey()
    assert (first.status_code, first.json()["people"]) == (200, 3)
    found, kinds = affected(), first.json()["kinds"]
    Incident.objects.all().delete()

    archive("--drop")

    again = past.survey()
    assert (again.json()["people"], again.json()["kinds"]) == (3, kinds)
    assert affected() == found


def test_a_month_that_is_archived_and_still_there_counts_once(past: Past, sealer: Sealer) -> None:
    past.survey()
    found = affected()
    Incident.objects.all().delete()
    with unit(SYSTEM, channel="command"):
        for month in archiving.expired():
            archiving.archive(month, TileReader(sealer.tiles.root))  # and then the machine went down, before it was detached
    assert Archive.objects.exists()
    assert past.survey().status_code == 200
    assert affected() == found


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_an_archive_that_cannot_be_read_is_said(past: Past, damage: str) -> None:
    archive("--drop")
    for made in Archive.objects.all():
        path = Path(storages["archives"].path(made.place))
        path.unlink() if damage == "gone" else path.write_bytes(path.read_bytes()[:-20])
    reply = past.survey()
    assert (reply.status_code, reply.json()["code"]) == (503, "archive_unavailable")
    assert not Affected.objects.exists()
    proof = past.officer.get(f"/api/v1/audit/entries/{past.entry}/proof/")
    assert (proof.status_code, proof.json()["code"]) == (503, "proofs_unavailable")


def test_the_proof_of_an_archived_entry_is_a_disclosure_too(past: Past) -> None:
    archive("--drop")
    proof = past.officer.get(f"/api/v1/audit/entries/{past.entry}/proof/")
    assert proof.status_code == 200
    assert set(Disclosure.objects.values_list("patient_id", flat=True)) == {UUID(proof.json()["entry"]["record_id"])} <= past.patients
