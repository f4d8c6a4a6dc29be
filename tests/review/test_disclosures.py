"""The accounting of disclosures (45 CFR 164.528): what it lists, how far it reaches, who may ask, and that asking is on record."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from audit.ledger import SYSTEM, Act, unit, uuid7
from audit.ledger.models import Entry
from audit.review import basis as rule
from audit.review import selectors, services
from audit.review.errors import DateAhead, PeriodBackwards
from audit.review.models import Basis, Disclosure
from audit.review.services import Leaving, Recipient
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.records.models import Patient
from telehealth.vault.models import RecordKey
from tests.cast import Cast, make_patient, stale
from tests.people import Acts, ClientFor

pytestmark = pytest.mark.django_db
EXCLUDED = {
    Basis.TREATMENT,
    Basis.PAYMENT,
    Basis.OPERATIONS,
    Basis.INDIVIDUAL,
    Basis.INCIDENTAL,
    Basis.AUTHORIZATION,
    Basis.DIRECTORY,
    Basis.INVOLVED_IN_CARE,
    Basis.NATIONAL_SECURITY,
    Basis.CUSTODY,
    Basis.LIMITED_DATA_SET,
}


def tell(patient: Patient, basis: Basis, at: datetime | None = None, **more: Any) -> Disclosure:
    return Disclosure.objects.create(
        patient=patient,
        at=at or now(),
        source_kind="by_hand",
        recipient={"name": "Somebody", "address": "1 Road"},
        what="Visit note",
        purpose="Asked for",
        basis=basis,
        **more,
    )


def address(patient: Patient) -> str:
    return f"/api/v1/patients/{patient.pk}/disclosures/"


@pytest.mark.parametrize("basis", list(Basis))
def test_one_of_each_basis_is_listed_or_left_out_as_the_rule_says(cast: Cast, client_for: ClientFor, basis: Basis) -> None:
    made = tell(cast.pia_record, basis)

    listed = client_for(cast.pia).get(address(cast.pia_record)).json()["disclosures"]
    complete = client_for(cast.pia).get(address(cast.pia_record), {"complete": "true"}).json()["disclosures"]

    assert [line["id"] for line in listed] == ([] if basis in EXCLUDED else [str(made.pk)])
    assert [(line["basis"], line["listed"]) for line in complete] == [(basis, basis not in EXCLUDED)]


def test_a_basis_that_nobody_knows_is_listed() -> None:
    assert rule.is_listed("something new")
    assert set(rule.EXCLUDED) == EXCLUDED


def test_a_line_says_when_to_whom_what_and_why(cast: Cast, client_for: ClientFor) -> None:
    made = tell(cast.pia_record, Basis.PUBLIC_HEALTH)
    (line,) = client_for(cast.pia).get(address(cast.pia_record)).json()["disclosures"]
    assert line == {
        "id": str(made.pk),
        "at": made.at.isoformat().replace("+00:00", "Z"),
        "recipient": {"name": "Somebody", "address": "1 Road"},
        "what": "Visit note",
        "purpose": "Asked for",
        "basis": "public_health",
        "listed": True,
    }


def test_it_reaches_six_years_back_and_no_further(cast: Cast, client_for: ClientFor) -> None:
    six = rule.earliest(now())
    kept = tell(cast.pia_record, Basis.RESEARCH, six + timedelta(minutes=1))
    tell(cast.pia_record, Basis.RESEARCH, six - timedelta(minutes=1))

    usual = client_for(cast.pia).get(address(cast.pia_record)).json()
    greedy = client_for(cast.pia).get(address(cast.pia_record), {"starts_at": "1999-01-01T00:00:00Z"}).json()

    for told in (usual, greedy):
        assert [line["id"] for line in told["disclosures"]] == [str(kept.pk)]
        assert abs(datetime.fromisoformat(told["starts_at"]) - six) < timedelta(minutes=1)


def test_six_years_before_a_leap_day() -> None:
    assert rule.earliest(datetime(2028, 2, 29, 12, tzinfo=UTC)) == datetime(2022, 2, 28, 12, tzinfo=UTC)


def test_a_shorter_period_has_both_its_ends(cast: Cast) -> None:
    noon = now() - timedelta(days=10)
    for minutes in (-1, 0, 60, 61):
        tell(cast.pia_record, Basis.OVERSIGHT, noon + timedelta(minutes=minutes))
    told = services.account_for(patient_id=cast.pia_record.pk, by=cast.pia, starts_at=noon, ends_at=noon + timedelta(hours=1))
    assert [line.at - noon for line in told.lines] == [timedelta(hours=1), timedelta(0)]
    with pytest.raises(PeriodBackwards):
        services.account_for(patient_id=cast.pia_record.pk, by=cast.pia, starts_at=noon, ends_at=noon - timedelta(days=1))


def test_what_left_of_a_linked_duplicate_is_the_persons_too(cast: Cast) -> None:
    double = make_patient("Quill", "Pia", mrn="double", link=cast.pia_record)
    made = tell(double, Basis.THREAT)
    assert services.account_for(patient_id=cast.pia_record.pk, by=cast.pia).lines == [made]


@pytest.mark.parametrize("who", ["ned", "dr_cho", "dr_dee", "nan", "desk", "biller", "admin"])
def test_nobody_else_may_know(cast: Cast, client_for: ClientFor, who: str) -> None:
    tell(cast.pia_record, Basis.ABUSE)
    stranger = getattr(cast, who)
    assert client_for(stranger).get(address(cast.pia_record)).status_code == 404
    assert client_for(stranger).post(f"{address(cast.pia_record)}exports/", {"format": "csv"}).status_code == 404
    assert Entry.objects.filter(actor_id=stranger.id, outcome="refused").exists()
    with pytest.raises(Missing):
        services.account_for(patient_id=cast.pia_record.pk, by=stranger)


@pytest.mark.parametrize("who", ["pia", "gus", "privacy"])
def test_the_patient_the_guardian_and_the_officer_may_and_it_is_on_record(cast: Cast, client_for: ClientFor, who: str) -> None:
    made = tell(cast.pia_record, Basis.JUDICIAL)
    asking = getattr(cast, who)
    assert client_for(asking).get(address(cast.pia_record)).json()["disclosures"][0]["id"] == str(made.pk)
    mine = Entry.objects.filter(actor_id=asking.id, record_id=cast.pia_record.pk)
    assert mine.filter(act=Act.DISCLOSURE_ACCOUNTED).count() == 1
    opened = mine.get(act=Act.RECORD_OPENED)
    assert f"review.Disclosure:{made.pk}" in opened.detail
    assert "Somebody" not in opened.detail


BY_HAND = {
    "recipient": {"name": "County health board", "address": "1 Main St"},
    "what": "Test result",
    "purpose": "Report",
    "basis": "public_health",
}


def test_an_officer_writes_down_what_left_by_hand(cast: Cast, client_for: ClientFor, acts: Acts) -> None:
    officer = client_for(cast.privacy)
    reply = officer.post(address(cast.pia_record), BY_HAND, headers={"Idempotency-Key": "k"})
    again = officer.post(address(cast.pia_record), BY_HAND, headers={"Idempotency-Key": "k"})
    assert (reply.status_code, again.json()) == (201, reply.json())
    assert Act.DISCLOSURE_MADE in acts()
    assert client_for(cast.pia).get(address(cast.pia_record)).json()["disclosures"][0]["recipient"]["name"] == "County health board"
    assert client_for(cast.pia).post(address(cast.pia_record), BY_HAND).status_code == 404
    ahead = officer.post(address(cast.pia_record), {**BY_HAND, "at": (now() + timedelta(hours=1)).isoformat()})
    assert (ahead.status_code, ahead.json()["code"]) == (400, "date_ahead")
    assert officer.post(address(cast.pia_record), {**BY_HAND, "basis": "because"}).status_code == 400
    with pytest.raises(DateAhead):
        services.write_down(
            patient_id=cast.pia_record.pk,
            recipient=Recipient("x"),
            what="x",
            purpose="x",
            basis="threat",
            by=cast.privacy,
            at=now() + timedelta(days=1),
        )


def leaving(source: UUID, basis: Basis = Basis.TREATMENT) -> Leaving:
    return Leaving(Recipient("Pharmacy"), "Prescription", "Treatment", basis, "x.Y", source)


def test_one_source_is_one_disclosure_of_each_patient(cast: Cast) -> None:
    source = uuid7()
    first = services.disclose(patient_id=cast.pia_record.pk, leaving=leaving(source), by=cast.system)
    both = services.disclose_all(patient_ids=[cast.pia_record.pk, cast.ned_record.pk], leaving=leaving(source), by=cast.system)
    assert first in both
    assert Disclosure.objects.count() == 2
    assert Entry.objects.filter(act=Act.DISCLOSURE_MADE).count() == 2


def test_a_disclosure_that_is_rolled_back_leaves_nothing(cast: Cast) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        services.disclose(patient_id=cast.pia_record.pk, leaving=leaving(uuid7()), by=cast.system)
        raise RuntimeError
    assert not Disclosure.objects.exists()
    assert not Entry.objects.filter(act=Act.DISCLOSURE_MADE).exists()


def test_a_record_without_a_key_gets_no_new_one(cast: Cast) -> None:
    RecordKey.objects.filter(record_id=cast.ned_record.pk).delete()
    assert selectors.keyed([cast.pia_record.pk, cast.ned_record.pk, uuid7()]) == [cast.pia_record.pk]


def test_the_download_needs_a_fresh_factor_and_is_a_disclosure_to_the_individual(cast: Cast, client_for: ClientFor) -> None:
    tell(cast.pia_record, Basis.LAW_ENFORCEMENT)
    old = client_for(cast.pia, factor_at=now() - timedelta(minutes=6))
    refused = old.post(f"{address(cast.pia_record)}exports/", {"format": "csv"})
    assert (refused.status_code, refused.json()["code"]) == (403, "fresh_factor_required")
    assert stale(cast.pia).second_factor_at is None

    reply = client_for(cast.pia).post(f"{address(cast.pia_record)}exports/", {"format": "csv"})
    text = b"".join(reply.streaming_content).decode()

    assert reply["Content-Type"].startswith("text/csv")
    assert text.count("\r\n") == 2
    assert "law_enforcement" in text
    with unit(SYSTEM, channel="task"):
        own = Disclosure.objects.get(source_kind="review.Export")
        assert (own.basis, own.recipient["name"]) == (Basis.INDIVIDUAL, "The individual")
        assert own.made_by == cast.pia.id
    assert Entry.objects.filter(act=Act.AUDIT_EXPORTED, actor_id=cast.pia.id, record_id=cast.pia_record.pk).count() == 1
