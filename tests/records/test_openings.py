"""Contract C1 where records are read: one entry per record opened, naming fields; and C3: nothing of them elsewhere."""

import json
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.ledger import NoContext, unit, uuid7
from audit.ledger.models import Entry
from audit.ledger.units import current
from telehealth.accounts.models import AccessToken, Application, User
from telehealth.core import now
from telehealth.records.models import ClinicalResource, Patient, PatientIdentifier
from telehealth.records.services import begin_care, grant_proxy, import_bundle
from telehealth.vault import record_keys
from tests.cast import Cast, id_of, make_patient
from tests.people import Browser, ClientFor
from tests.records.bundles import bundle, observation, patient, stream

VALUES = ["Canary", "Vera", "1980-05-17", "617-555-0177", "vera@example.org", "7 Finch Lane", "02169", "Quincy"]


@pytest.fixture
def vera(cast: Cast) -> UUID:
    """A patient with twenty observations, in dr_cho's care."""
    who = patient()
    report = import_bundle(source=stream(bundle(who, *(observation(who) for _ in range(20)))), by=cast.nan)
    begin_care(patient_id=report.patient, practitioner_id=cast.cho.pk, source="assignment", source_id=uuid7(), by=cast.system)
    return report.patient


def openings(since: UUID, **about: Any) -> list[Entry]:
    return list(Entry.objects.filter(id__gt=since, act="record.opened", **about).order_by("id"))


def test_reading_a_patient_is_one_entry_that_names_the_fields(vera: UUID, cast: Cast, client_for: ClientFor) -> None:
    client, since = client_for(cast.dr_cho), uuid7()
    assert client.get(f"/api/v1/patients/{vera}/").json()["family"] == "Canary"

    (entry,) = openings(since)
    assert (entry.record_id, entry.actor_id, entry.channel) == (vera, cast.dr_cho.id, "REST")
    (fields,) = json.loads(entry.detail).values()
    assert {"family", "given", "birth_date", "phone", "address"} <= set(fields) and "body" not in fields


def test_what_a_role_does_not_get_is_not_opened_for_it(vera: UUID, cast: Cast, client_for: ClientFor) -> None:
    client, since = client_for(cast.biller), uuid7()
    client.get(f"/api/v1/patients/{vera}/")
    (entry,) = openings(since)
    assert json.loads(entry.detail) == {f"records.Patient:{vera}": ["address", "birth_date", "family", "given", "mrn"]}


def test_a_list_of_patients_is_one_entry_each_in_one_insert(vera: UUID, cast: Cast, client_for: ClientFor) -> None:
    for _ in range(8):
        import_bundle(source=stream(bundle(patient())), by=cast.nan)
    client, since = client_for(cast.desk), uuid7()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rows = client.get("/api/v1/patients/").json()["results"]

    assert len(rows) == 11
    assert {entry.record_id for entry in openings(since)} == {UUID(row["id"]) for row in rows}
    assert len(openings(since)) == 11
    assert sum("INSERT INTO audit_entry" in query["sql"] for query in queries) == 1
    assert len(queries) <= 5


def test_the_row_beyond_the_page_is_not_opened(vera: UUID, cast: Cast, client_for: ClientFor) -> None:
    client, since = client_for(cast.desk), uuid7()
    page = client.get("/api/v1/patients/?limit=1").json()
    assert page["next"] and [entry.record_id for entry in openings(since)] == [UUID(page["results"][0]["id"])]


def test_twenty_resources_of_one_record_are_one_entry(vera: UUID, cast: Cast, client_for: ClientFor) -> None:
    client, since = client_for(cast.dr_cho), uuid7()
    rows = client.get(f"/api/v1/patients/{vera}/resources/?type=Observation").json()["results"]

    assert len(rows) == 20 and rows[0]["body"]["subject"] == {"reference": f"Patient/{vera}"}
    (entry,) = openings(since)
    assert len(json.loads(entry.detail)) == 20 and entry.record_id == vera


def bearer(cast: Cast, who: str = "pia") -> Browser:
    user = User.objects.get(pk=id_of(getattr(cast, who)))
    app = Application.objects.create(client_id=uuid7().hex, client_type="public", authorization_grant_type="authorization-code")
    token = uuid7().hex
    AccessToken.objects.create(
        user=user, application=app, token=token, scope="patient", expires=timezone.now() + timedelta(hours=1),
        factor_at=timezone.now(), epoch=user.epoch,
    )  # fmt: skip
    client = Browser()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("who", "statements"), [("pia", 3), ("gus", 3), ("gus, who guards a minor", 4)])
def test_reading_one_record_costs_three_statements_the_entry_included(cast: Cast, who: str, statements: int) -> None:
    if statements == 4:  # one more asks whether the minor has come of age (docs/adr/0007)
        child = make_patient("Canary", "Cody", birth_date=f"{now().year - 9}-01-02")
        grant_proxy(patient_id=child.pk, account_id=cast.gus.account, relationship="guardian", by=cast.desk)
    client = bearer(cast, who[:3])
    address = f"/api/v1/patients/{cast.pia_record.pk}/"
    record_keys.cache.clear()  # as in a process that has not seen this record
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    assert answer.status_code == 200, answer.content
    # who asks, the row with its key, the entry
    assert len(queries) == statements, [query["sql"][:120] for query in queries]
    assert sum("INSERT INTO audit_entry" in query["sql"] for query in queries) == 1


@pytest.mark.django_db(transaction=True)
def test_reading_one_resource_costs_three_statements_the_entry_included(cast: Cast) -> None:
    row = ClinicalResource.objects.create(patient=cast.pia_record, type="Observation", body='{"a":1.50}', body_key=b"k")
    client = bearer(cast, "gus")
    record_keys.cache.clear()
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(f"/api/v1/patients/{cast.pia_record.pk}/resources/{row.pk}/")
    assert b'"body":{"a":1.50}' in answer.content
    # who asks, the row with its key, the entry
    assert len(queries) <= 3, [query["sql"][:120] for query in queries]


def test_outside_a_unit_nothing_opens(vera: UUID, cast: Cast) -> None:
    row = Patient.objects.get(pk=vera)
    with unit(cast.nan, channel="task") as ended:
        pass
    ended.closed = True
    with pytest.raises(NoContext), unit(cast.nan, channel="task"):
        current().closed = True
        _ = row.family


def test_no_text_of_a_row_shows_what_it_holds(vera: UUID, cast: Cast) -> None:
    rows = [Patient.objects.get(pk=vera), *PatientIdentifier.objects.all(), *ClinicalResource.objects.all()[:1]]
    for row in rows:
        shown = f"{row} {row!r} {vars(row)}"
        assert str(row) == str(row.pk)
        assert not [value for value in (*VALUES, "8302-2 height") if value in shown]
    assert not [value for value in VALUES if value in str(list(Patient.objects.values()))]


def test_no_reply_or_log_line_repeats_what_was_wrong(cast: Cast, client_for: ClientFor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_for(cast.nan)
    other = patient()
    wrong = [
        json.dumps(bundle(patient(), patient())).encode(),
        json.dumps(bundle(patient(), {"resource": {"resourceType": "Canary Vera 617-555-0177"}, "fullUrl": 3})).encode(),
        json.dumps(bundle(patient(), other))[:-9].encode(),
        b'{"resourceType": "Canary", "Vera": "617-555-0177"}',
    ]
    for content in wrong:
        answer = client.post("/api/v1/imports/", data=content, content_type="application/fhir+json")
        assert answer.status_code == 400, answer.content
        assert not [value for value in VALUES if value in answer.content.decode()]
    client.post("/api/v1/patients/search/", {"name": "Canary", "phone": "617-555-0177"})
    assert not [value for value in VALUES if value in caplog.text]


def test_the_ledger_holds_none_of_it(vera: UUID, cast: Cast, client_for: ClientFor) -> None:
    client_for(cast.dr_cho).get(f"/api/v1/patients/{vera}/")
    client_for(cast.desk).post("/api/v1/patients/search/", {"name": "canary", "birth_date": "1980-05-17"})
    told = str(list(Entry.objects.values()))
    assert "record.opened" in told and "patient.searched" in told
    assert not [value for value in (*VALUES, "canary") if value in told]
