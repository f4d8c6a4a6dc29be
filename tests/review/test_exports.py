"""Taking out: three forms, a fresh factor, on record, streamed; and whoever is named in what leaves has a disclosure first."""

import base64
import csv
import io
import json
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.http import StreamingHttpResponse
from fhirclient.models.auditevent import AuditEvent

from audit.ledger import SYSTEM, Act, record, refuse, unit, uuid7
from audit.ledger.entries import COLUMNS, Row, canonical
from audit.ledger.keys import mac
from audit.ledger.models import Entry
from audit.ledger.sealing import Sealer
from audit.review import services
from audit.review.exports import flat
from audit.review.models import Basis, Disclosure
from audit.review.services import exporting
from telehealth.core import now
from telehealth.records.models import ClinicalResource, Patient
from telehealth.vault import record_keys
from telehealth.vault.models import DestroyedKey, RecordKey
from tests.audit.conftest import seal_all, sealer
from tests.audit.seeding import seeded
from tests.audit.test_no_plaintext_without_a_row import unwritable
from tests.cast import Cast, make_patient
from tests.people import Browser, ClientFor
from tests.review.balp import check, profile_of
from tests.review.test_disclosures import tell
from tests.review.test_incidents import incident_of, look, survey

pytestmark = pytest.mark.django_db
__all__ = ["sealer"]  # a fixture
AsOwner = Callable[..., list[tuple[Any, ...]]]
EXPORTS = "/api/v1/audit/exports/"
GOING = {"recipient": {"name": "Outside counsel", "address": "2 Court St"}, "purpose": "Investigation"}
FORMATS = ("csv", "ndjson", "fhir")


def body(reply: StreamingHttpResponse) -> str:
    assert reply.status_code == 200, getattr(reply, "content", b"")
    return b"".join(reply.streaming_content).decode()  # type: ignore[arg-type]


def take(browser: Browser, format: str, address: str = EXPORTS, **more: Any) -> str:
    return body(browser.post(address, {"format": format, **GOING, **more}))


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def disclosed() -> dict[UUID, Disclosure]:
    return {each.patient_id: each for each in Disclosure.objects.filter(source_kind="review.Export")}


def test_csv_and_ndjson_are_the_entries_themselves_and_their_macs_hold(cast: Cast, client_for: ClientFor) -> None:
    look(cast.dr_dee, cast.pia_record, cast.ned_record)
    officer, wanted = client_for(cast.privacy), {"filters": {"actor": str(cast.dr_dee.id)}}
    rows = list(csv.DictReader(io.StringIO(take(officer, "csv", **wanted))))
    objects = lines(take(officer, "ndjson", **wanted))
    stored = {str(entry.pk): entry for entry in Entry.objects.filter(actor_id=cast.dr_dee.id)}

    assert {row["id"] for row in rows} == {each["id"] for each in objects} == set(stored)
    assert {row["record_id"] for row in rows} == {str(cast.pia_record.pk), str(cast.ned_record.pk)}
    assert {row["actor_name"] for row in rows} == {"dr_dee"}
    for each in objects:
        assert mac(canonical({name: each[name] for name in COLUMNS})).hex() == each["mac"]
    assert Row.__slots__


@pytest.mark.parametrize("format", FORMATS)
def test_whoever_is_named_in_what_leaves_has_a_disclosure_first(cast: Cast, client_for: ClientFor, format: str) -> None:
    look(cast.dr_dee, cast.pia_record)
    look(cast.dr_cho, cast.ned_record)
    text = take(client_for(cast.privacy), format, filters={"actor": str(cast.dr_dee.id)}, basis="law_enforcement")
    assert str(cast.pia_record.pk) in text and str(cast.ned_record.pk) not in text

    made = disclosed()
    assert set(made) == {cast.pia_record.pk}
    one = made[cast.pia_record.pk]
    assert (one.recipient, one.basis) == ({"name": "Outside counsel", "address": "2 Court St"}, Basis.LAW_ENFORCEMENT)
    assert (one.purpose, one.made_by) == ("Investigation", cast.privacy.id)
    exported = Entry.objects.get(act=Act.AUDIT_EXPORTED)
    assert json.loads(exported.detail) == {"export": str(one.source_id), "of": "entries", "format": format, "filters": ["actor"]}
    told = client_for(cast.pia).get(f"/api/v1/patients/{cast.pia_record.pk}/disclosures/").json()["disclosures"]
    assert [line["id"] for line in told] == [str(one.pk)]


def test_every_filter_narrows(cast: Cast, client_for: ClientFor) -> None:
    officer = client_for(cast.privacy)
    with unit(cast.dr_dee, channel="REST"):
        record(cast.dr_dee, Act.CARE_BEGUN, record_id=cast.pia_record.pk)
    at = now()
    for filters, some in (
        ({"patient": str(cast.pia_record.pk), "act": "care.begun"}, True),
        ({"patient": str(cast.ned_record.pk), "act": "care.begun"}, False),
        ({"actor": str(cast.dr_dee.id), "act": "care.begun"}, True),
        ({"act": "care.begun", "session": "another"}, False),
        ({"act": "care.begun", "client": "another"}, False),
        ({"act": "care.begun", "starts_at": (at - timedelta(hours=1)).isoformat()}, True),
        ({"act": "care.begun", "starts_at": (at + timedelta(hours=1)).isoformat()}, False),
        ({"act": "care.begun", "ends_at": (at - timedelta(hours=1)).isoformat()}, False),
    ):
        assert bool(lines(take(officer, "ndjson", filters=filters))) is some, filters
    assert officer.post(EXPORTS, {"format": "ndjson", **GOING, "filters": {"name": "Pia"}}).status_code == 400


def test_an_export_does_not_run_after_its_own_entries(cast: Cast, client_for: ClientFor) -> None:
    look(cast.dr_dee, cast.pia_record)
    found = lines(take(client_for(cast.privacy), "ndjson", filters={"patient": str(cast.pia_record.pk)}))
    assert "disclosure.made" not in {each["act"] for each in found}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("what", ["entries", "incident", "accounting"])
def test_none_of_it_without_a_fresh_factor(cast: Cast, client_for: ClientFor, format: str, what: str) -> None:
    incident = survey(cast, incident_of(cast, "account", str(cast.dr_dee.id)))
    addresses = {
        "entries": EXPORTS,
        "incident": f"/api/v1/incidents/{incident.pk}/exports/",
        "accounting": f"/api/v1/patients/{cast.pia_record.pk}/disclosures/exports/",
    }
    given = {"format": format} if what == "accounting" else {"format": format, **GOING}
    stale = client_for(cast.privacy, factor_at=now() - timedelta(minutes=5, seconds=1))
    reply = stale.post(addresses[what], given)
    assert (reply.status_code, reply.json()["code"]) == (403, "fresh_factor_required")
    assert Entry.objects.filter(actor_id=cast.privacy.id, reason="fresh_factor_required").exists()
    assert not Disclosure.objects.exists() and not Entry.objects.filter(act=Act.AUDIT_EXPORTED).exists()
    fresh = client_for(cast.privacy, factor_at=now() - timedelta(minutes=4, seconds=50))
    body(fresh.post(addresses[what], given))


@pytest.mark.parametrize("who", ["pia", "dr_cho", "nan", "desk", "biller", "admin"])
def test_nobody_else_takes_the_log_out(cast: Cast, client_for: ClientFor, who: str) -> None:
    incident = incident_of(cast, "account", str(cast.dr_dee.id))
    for address in (EXPORTS, f"/api/v1/incidents/{incident.pk}/exports/"):
        assert client_for(getattr(cast, who)).post(address, {"format": "csv", **GOING}).status_code == 404


def test_everyone_affected_by_an_incident_leaves_as_a_disclosure_of_each(cast: Cast, client_for: ClientFor) -> None:
    look(cast.dr_dee, cast.pia_record, cast.ned_record)
    incident = survey(cast, incident_of(cast, "account", str(cast.dr_dee.id)))
    address, officer = f"/api/v1/incidents/{incident.pk}/exports/", client_for(cast.privacy)

    plain = take(officer, "csv", address)
    letters = list(csv.DictReader(io.StringIO(take(officer, "csv", address, contact=True))))
    objects = lines(take(officer, "ndjson", address))
    events = lines(take(officer, "fhir", address))

    assert plain.splitlines()[0] == "patient,state,first_at,last_at,entries,kinds"
    assert "Quill" not in plain
    assert {(row["family"], row["state"]) for row in letters} == {("Quill", "MA"), ("Nettle", "MA")}
    assert {each["patient"] for each in objects} == {str(cast.pia_record.pk), str(cast.ned_record.pk)}
    assert {profile_of(event) for event in events} == {"PatientRead"}
    made = Disclosure.objects.filter(source_kind="review.Export")
    assert {each.patient_id for each in made} == {cast.pia_record.pk, cast.ned_record.pk}
    assert made.count() == 8  # two people, four exports


@pytest.mark.django_db(transaction=True)  # else the keys of this transaction are still found
def test_a_record_destroyed_since_is_named_without_its_content(cast: Cast, client_for: ClientFor) -> None:
    look(cast.dr_dee, cast.pia_record, cast.ned_record)
    double = make_patient("Quill", "Pia", mrn="double", link=cast.pia_record)
    tell(double, Basis.THREAT)
    incident = survey(cast, incident_of(cast, "account", str(cast.dr_dee.id)))
    for gone in (cast.ned_record.pk, double.pk):
        RecordKey.objects.filter(record_id=gone).delete()
        DestroyedKey.objects.create(record_id=gone)
    record_keys.cache.clear()
    officer = client_for(cast.privacy)

    here = f"/api/v1/incidents/{incident.pk}/"
    listed = {each["patient"]: each["state"] for each in officer.get(f"{here}affected/").json()["results"]}
    taken = {each["patient"]: each["state"] for each in lines(take(officer, "ndjson", f"{here}exports/", contact=True))}

    assert listed == taken == {str(cast.pia_record.pk): "MA", str(cast.ned_record.pk): None}
    assert set(disclosed()) == {cast.pia_record.pk}
    assert not RecordKey.objects.filter(record_id=cast.ned_record.pk).exists()
    told = client_for(cast.pia).get(f"/api/v1/patients/{cast.pia_record.pk}/disclosures/")
    assert (told.status_code, told.json()["disclosures"]) == (200, [])


@pytest.mark.django_db(transaction=True)
def test_a_document_of_proofs_is_a_disclosure(sealer: Sealer, cast: Cast) -> None:
    look(cast.dr_dee, cast.pia_record)
    seal_all(sealer)
    entry = Entry.objects.get(act=Act.RECORD_OPENED, actor_id=cast.dr_dee.id)
    for by, basis, who in (
        (cast.pia, Basis.INDIVIDUAL, "The individual"),
        (cast.gus, Basis.INDIVIDUAL, "Personal representative"),
        (cast.privacy, Basis.OPERATIONS, "Privacy officer"),
    ):
        services.download_accesses(patient_id=cast.pia_record.pk, by=by)
        made = Disclosure.objects.get(made_by=by.id)
        assert (made.basis, made.recipient["name"]) == (basis, who)
    services.prove_entry(entry_id=entry.pk, by=cast.privacy)
    assert Disclosure.objects.filter(made_by=cast.privacy.id, patient=cast.pia_record).count() == 2


@pytest.mark.django_db(transaction=True)
def test_nothing_leaves_when_its_disclosure_cannot_be_put_on_record(cast: Cast, client_for: ClientFor, as_owner: AsOwner) -> None:
    look(cast.dr_dee, cast.pia_record)
    officer = client_for(cast.privacy)
    officer.raise_request_exception = False
    asked = {"format": "ndjson", "filters": {"actor": str(cast.dr_dee.id)}, **GOING}
    as_owner("REVOKE INSERT ON review_disclosure FROM tele_app")
    try:
        reply = officer.post(EXPORTS, asked)
        assert reply.status_code >= 500
        assert str(cast.pia_record.pk) not in reply.content.decode()
    finally:
        as_owner("GRANT INSERT ON review_disclosure TO tele_app")
    with unwritable(as_owner):
        assert officer.post(EXPORTS, asked).status_code == 503
    assert not Disclosure.objects.exists()


def test_each_page_leaves_after_the_disclosures_of_whom_it_names(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "BATCH", 2)
    patients = [make_patient(f"F{number}", "G") for number in range(5)]
    for patient in patients:
        look(cast.dr_dee, patient)
    going = services.Purpose(services.Recipient("x"), "y")
    export = services.export_entries(format="ndjson", filters={"actor": cast.dr_dee.id}, going=going, by=cast.privacy)
    named = set[str]()
    for chunk in export.content:
        named |= {each["record_id"] for each in lines(chunk.decode())}
        assert named == {str(patient) for patient in Disclosure.objects.values_list("patient_id", flat=True)}
    assert len(named) == 5


# FHIR


@pytest.fixture
def events(cast: Cast, client_for: ClientFor) -> list[dict[str, Any]]:
    """One of everything, exported."""
    result = ClinicalResource.objects.create(patient=cast.pia_record, type="Observation", body="{}", body_key=b"k")
    with unit(cast.dr_cho, channel="REST"):
        assert ClinicalResource.objects.get(pk=result.pk).body and Patient.objects.get(pk=cast.pia_record.pk).family
        record(cast.dr_cho, Act.NOTE_DRAFTED, result)
        record(cast.dr_cho, Act.NOTE_SIGNED, result)
        record(cast.dr_cho, Act.PATIENT_SEARCHED, detail={"by": "birth_date name", "found": 3})
        record(cast.dr_cho, Act.SIGNED_IN)
        record(cast.dr_cho, Act.SIGNED_IN, outcome="failed", reason="wrong_password")
        refuse(cast.dr_cho, "not_visible", kind="records.Patient", pk=cast.ned_record.pk, record_id=cast.ned_record.pk)
    with unit(SYSTEM, channel="task"):
        record(SYSTEM, Act.OUTBOX_DELIVERED)
    return lines(take(client_for(cast.privacy), "fhir"))


def test_every_event_is_r4_and_keeps_the_profile_that_it_claims(events: list[dict[str, Any]]) -> None:
    claimed = {check(event) for event in events}
    for event in events:
        AuditEvent(event, strict=True)
    assert claimed == {"", "PatientRead", "Query", "PatientCreate", "PatientUpdate"}
    assert len({event["id"] for event in events}) == len(events)


def test_an_event_says_who_what_whose_and_why(cast: Cast, events: list[dict[str, Any]]) -> None:
    reads = [event for event in events if profile_of(event) == "PatientRead" and f"/{cast.pia_record.pk}" in json.dumps(event)]
    by = {event["entity"][2]["what"]["type"]: event for event in reads if event["agent"][-1].get("name") == "dr_cho"}
    assert set(by) == {"Patient", "Observation"}
    event = by["Observation"]
    user = event["agent"][-1]
    assert user["who"]["identifier"]["value"] == str(cast.dr_cho.id)
    assert user["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert event["entity"][1]["what"]["reference"] == f"Patient/{cast.pia_record.pk}"
    assert [each["valueString"] for each in event["entity"][2]["detail"]] == ["body"]
    assert event["recorded"].endswith("Z")


def test_a_search_tells_by_what_and_not_for_whom(events: list[dict[str, Any]]) -> None:
    (query,) = [event for event in events if profile_of(event) == "Query"]
    assert base64.b64decode(query["entity"][1]["query"]) == b"birth_date&name"


def test_refusals_failures_and_sign_ins_claim_no_profile(events: list[dict[str, Any]]) -> None:
    plain = [event for event in events if not profile_of(event)]
    told = {(event["type"]["code"], event["outcome"]) for event in plain}
    assert {("110113", "4"), ("110114", "0"), ("110114", "8"), ("110100", "0")} <= told
    assert any(event.get("outcomeDesc") == "wrong_password" for event in plain)


def test_an_accounting_in_fhir_is_recorded_at_its_source(cast: Cast, client_for: ClientFor) -> None:
    for basis in Basis:
        tell(cast.pia_record, basis)
    address = f"/api/v1/patients/{cast.pia_record.pk}/disclosures/exports/"
    found = lines(body(client_for(cast.pia).post(address, {"format": "fhir", "complete": True})))
    assert len(found) == len(Basis)
    for event in found:
        AuditEvent(event, strict=True)
        assert check(event) == "PrivacyDisclosure.Source"
        assert event["agent"][1]["who"]["display"] == "Somebody 1 Road"


def test_the_checker_itself_finds_faults(events: list[dict[str, Any]]) -> None:
    good = next(event for event in events if profile_of(event) == "PatientRead")
    for wrong in (
        {**good, "action": "C"},
        {**good, "outcome": "4"},
        {**good, "agent": good["agent"][1:]},
        {**good, "entity": good["entity"][:2]},
        {**good, "entity": [*good["entity"], good["entity"][2]]},
    ):
        with pytest.raises((AssertionError, ValueError)):
            check(wrong)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_cell_is_no_formula(cell: str) -> None:
    assert flat.csv_lines(["a"], [{"a": cell}], head=False).decode().strip().strip('"').startswith("'")


@pytest.mark.django_db(transaction=True)
def test_thousands_of_entries_pass_in_flat_memory(cast: Cast, client_for: ClientFor) -> None:
    actor = uuid7()
    with seeded(4_000, actors=[actor]):
        reply = client_for(cast.privacy).post(EXPORTS, {"format": "ndjson", **GOING, "filters": {"actor": str(actor)}})
        tracemalloc.start()
        count = sum(chunk.count(b"\n") for chunk in reply.streaming_content)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert count == 4_000
    assert peak < 8_000_000
