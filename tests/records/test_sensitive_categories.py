"""Sensitive categories: who has no consent does not learn that there is anything; who has, sees it with its notice."""

import re
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from audit.ledger import Act, uuid7
from audit.ledger.models import Entry
from telehealth.outbox.models import Message
from telehealth.records import labels
from telehealth.records.labels import REDISCLOSURE, Category
from telehealth.records.models import ClinicalResource, Consent, ProxyGrant
from telehealth.records.services import begin_care, import_bundle
from tests.cast import Cast
from tests.people import Browser, ClientFor
from tests.records.bundles import bundle, entry, patient, stream

SENSITIVE = list(Category)


@pytest.fixture
def chart(cast: Cast) -> dict[str, ClinicalResource]:
    """One condition of each category and one of none, with dr_cho in care and gus's grant as the desk makes it."""
    begin_care(patient_id=cast.pia_record.pk, practitioner_id=cast.cho.pk, source="assignment", source_id=uuid7(), by=cast.system)
    ProxyGrant.objects.update(sees=labels.tokens(cast.pia_record.pk, set(Category) - labels.HIDDEN_FROM_PROXIES))
    return {name: labelled(cast, *([Category(name)] if name else [])) for name in ("", *SENSITIVE)}


def labelled(cast: Cast, *categories: Category) -> ClinicalResource:
    told = labels.tokens(cast.pia_record.pk, categories)
    return ClinicalResource.objects.create(patient=cast.pia_record, type="Condition", body="{}", body_key=b"k" * 32, labels=told)


def seen(browser: Browser, cast: Cast, chart: dict[str, ClinicalResource]) -> set[str]:
    """The categories whose condition this browser sees: in the list, by type, and one by one, which must agree."""
    base = f"/api/v1/patients/{cast.pia_record.pk}/resources/"
    ways = [
        {row["id"] for address in (base, f"{base}?limit=1") for row in pages(browser, address)},
        {row["id"] for row in pages(browser, f"{base}?type=Condition")},
        {str(row.pk) for row in chart.values() if browser.get(f"{base}{row.pk}/").status_code == 200},
    ]
    assert ways[0] == ways[1] == ways[2]
    return {name for name, row in chart.items() if str(row.pk) in ways[0]}


def pages(browser: Browser, address: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while address:
        reply = browser.get(address).json()
        rows, address = rows + reply.get("results", []), reply.get("next")
    return rows


def consent(browser: Browser, cast: Cast, category: str, **more: Any) -> Any:
    given = {"category": category, "recipient": {"kind": "care_team"}, "text_version": "1", **more}
    return browser.post(f"/api/v1/patients/{cast.pia_record.pk}/consents/", given)


def test_the_patient_sees_all_of_it(cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor) -> None:
    assert seen(client_for(cast.pia), cast, chart) == {"", *SENSITIVE}


def test_a_proxy_does_not_see_what_minors_decide(cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor) -> None:
    assert seen(client_for(cast.gus), cast, chart) == {"", "SUD", "SEX", "HIV"}


@pytest.mark.parametrize("who", ["dr_cho", "nan"])
def test_without_consent_care_sees_none_of_it(cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor, who: str) -> None:
    assert seen(client_for(getattr(cast, who)), cast, chart) == {""}


@pytest.mark.parametrize("category", SENSITIVE)
def test_a_consent_opens_its_category_and_no_other(
    cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor, category: Category
) -> None:
    pia, cho = client_for(cast.pia), client_for(cast.dr_cho)
    made = consent(pia, cast, category)
    assert made.status_code == 201
    assert seen(cho, cast, chart) == {"", category}
    assert seen(client_for(cast.dr_dee), cast, chart) == set()  # consent is not care
    assert pia.post(f"/api/v1/consents/{made.json()['id']}/withdraw/").status_code == 200
    assert seen(cho, cast, chart) == {""}


@pytest.mark.parametrize(
    ("recipient", "by_doctor", "by_nurse"),
    [
        ({"kind": "care_team"}, True, True),
        ({"kind": "role", "role": "nurse"}, False, True),
        ({"kind": "role", "role": "provider"}, True, False),
        ({"kind": "practitioner", "practitioner": "cho"}, True, False),
        ({"kind": "practitioner", "practitioner": "dee"}, False, False),
    ],
)
def test_it_is_for_whom_it_names(
    cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor, recipient: dict[str, str], by_doctor: bool, by_nurse: bool
) -> None:
    if name := recipient.get("practitioner"):
        recipient = {**recipient, "practitioner": str(getattr(cast, name).pk)}
    assert consent(client_for(cast.pia), cast, "HIV", recipient=recipient).status_code == 201
    found = [("HIV" in seen(client_for(who), cast, chart)) for who in (cast.dr_cho, cast.nan)]
    assert found == [by_doctor, by_nurse]


def test_it_ends_by_itself(cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor) -> None:
    consent(client_for(cast.pia), cast, "SUD", ends_at=(timezone.now() + timedelta(minutes=5)).isoformat())
    assert "SUD" in seen(client_for(cast.dr_cho), cast, chart)
    ago = timedelta(minutes=6)
    Consent.objects.update(starts_at=F("starts_at") - ago, ends_at=F("ends_at") - ago)
    assert "SUD" not in seen(client_for(cast.dr_cho), cast, chart)


def test_a_row_of_two_categories_needs_both(cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor) -> None:
    chart["both"] = labelled(cast, Category.HIV, Category.SUBSTANCE_USE)
    consent(client_for(cast.pia), cast, "HIV")
    assert seen(client_for(cast.dr_cho), cast, chart) == {"", "HIV"}
    consent(client_for(cast.pia), cast, "SUD")
    assert seen(client_for(cast.dr_cho), cast, chart) == {"", "HIV", "SUD", "both"}


def test_hidden_and_missing_look_alike(cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor) -> None:
    cho, base = client_for(cast.dr_cho), f"/api/v1/patients/{cast.pia_record.pk}/resources/"
    hidden, missing = cho.get(f"{base}{chart['HIV'].pk}/"), cho.get(f"{base}{uuid7()}/")
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content) == (404, missing.content)
    since = uuid7()
    assert len(pages(cho, base)) == 1
    opened = Entry.objects.get(id__gt=since, act=Act.RECORD_OPENED)
    assert not [row for row in chart.values() if row.labels and str(row.pk) in opened.detail]


def test_an_emergency_lays_open_all_but_psychotherapy_notes(cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor) -> None:
    dee = client_for(cast.dr_dee)
    declared = {"patient": str(cast.pia_record.pk), "reason": "unresponsive", "text": "Found on the floor."}
    assert dee.post("/api/v1/emergency-accesses/", declared).status_code == 201
    assert seen(dee, cast, chart) == {"", "SUD", "SEX", "HIV", "ADOL"}


def test_part_2_data_comes_with_its_notice(cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor) -> None:
    rows = pages(client_for(cast.pia), f"/api/v1/patients/{cast.pia_record.pk}/resources/")
    notices = {row["id"]: (row["sensitivity"], row["notice"]) for row in rows}
    assert notices[str(chart["SUD"].pk)] == (["SUD"], REDISCLOSURE)
    assert notices[str(chart["HIV"].pk)] == (["HIV"], "") and notices[str(chart[""].pk)] == ([], "")


def test_the_desk_records_what_the_patient_signed_sees_no_other_and_the_patient_is_told(
    cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor
) -> None:
    held = consent(client_for(cast.pia), cast, "HIV").json()
    desk, since = client_for(cast.desk), uuid7()
    made = consent(desk, cast, "PSYTHPN")
    assert made.status_code == 201 and seen(client_for(cast.dr_cho), cast, chart) == {"", "HIV", "PSYTHPN"}
    assert Entry.objects.get(id__gt=since, act=Act.CONSENT_GIVEN).detail == '{"on_paper":true}'
    assert list(Message.objects.values_list("kind", "person_id")) == [("consent_recorded", cast.pia.id)]
    assert desk.get(f"/api/v1/patients/{cast.pia_record.pk}/consents/").status_code == 404
    assert {desk.post(f"/api/v1/consents/{pk}/withdraw/").status_code for pk in (held["id"], made.json()["id"])} == {404}
    tired = client_for(cast.desk, factor_at=timezone.now() - timedelta(minutes=6))
    assert consent(tired, cast, "SUD").json()["code"] == "fresh_factor_required"


@pytest.mark.parametrize("who", ["dr_cho", "nan", "biller", "privacy", "admin", "ned"])
def test_nobody_consents_for_somebody_else(cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor, who: str) -> None:
    made = consent(client_for(cast.pia), cast, "HIV").json()
    other = client_for(getattr(cast, who))
    assert consent(other, cast, "HIV").status_code == 404
    assert other.get(f"/api/v1/patients/{cast.pia_record.pk}/consents/").status_code == 404
    assert other.post(f"/api/v1/consents/{made['id']}/withdraw/").status_code == 404


def test_a_guardian_neither_gives_nor_sees_nor_withdraws_what_a_minor_decides(
    cast: Cast, chart: dict[str, ClinicalResource], client_for: ClientFor
) -> None:
    pia, gus = client_for(cast.pia), client_for(cast.gus)
    own, shared = consent(pia, cast, "ADOL").json(), consent(pia, cast, "HIV").json()
    assert consent(gus, cast, "ADOL").status_code == 404
    assert [row["id"] for row in pages(gus, f"/api/v1/patients/{cast.pia_record.pk}/consents/")] == [shared["id"]]
    assert gus.post(f"/api/v1/consents/{own['id']}/withdraw/").status_code == 404
    assert gus.post(f"/api/v1/consents/{shared['id']}/withdraw/").status_code == 200


def test_giving_needs_a_fresh_factor_and_the_text_that_stands(cast: Cast, client_for: ClientFor) -> None:
    tired = client_for(cast.pia, factor_at=timezone.now() - timedelta(minutes=6))
    assert consent(tired, cast, "HIV").json()["code"] == "fresh_factor_required"
    old = consent(client_for(cast.pia), cast, "HIV", text_version="0")
    assert (old.status_code, old.json()["code"], old.json()["text_version"]) == (400, "consent_text_unknown", "1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipient": {"kind": "practitioner"}},
        {"recipient": {"kind": "role"}},
        {"recipient": {"kind": "care_team", "role": "nurse"}},
        {"ends_at": "2001-01-01T00:00:00Z"},
    ],
)
def test_a_recipient_is_one_and_an_end_comes_after(cast: Cast, client_for: ClientFor, wrong: dict[str, Any]) -> None:
    reply = consent(client_for(cast.pia), cast, "HIV", **wrong)
    assert (reply.status_code, reply.json()["code"]) == (400, "recipient_unclear")


def test_the_table_refuses_it_too(cast: Cast) -> None:
    at = timezone.now()
    wrong = [
        ({"recipient": "role"}, "consent_names_its_recipient"),
        ({"recipient": "care_team", "ends_at": at - timedelta(1)}, "consent_ends_after_it_starts"),
    ]
    for values, name in wrong:
        with pytest.raises(DatabaseError, match=name), transaction.atomic():
            Consent.objects.create(
                patient=cast.pia_record, scope="treatment", label="x", category="HIV", given_by=uuid7(), starts_at=at, **values
            )


def test_labels_tell_nothing_without_the_key(cast: Cast) -> None:
    both = [labels.tokens(record.pk, Category) for record in (cast.pia_record, cast.ned_record)]
    assert not set(both[0]) & set(both[1])
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in both[0])


@pytest.mark.parametrize(
    ("system", "code", "category"),
    [
        ("http://hl7.org/fhir/sid/icd-10-cm", "F11.20", Category.SUBSTANCE_USE),
        ("http://hl7.org/fhir/sid/icd-10-cm", "B20", Category.HIV),
        ("http://snomed.info/sct", "86406008", Category.HIV),
        ("http://loinc.org", "75622-1", Category.HIV),
        ("http://hl7.org/fhir/sid/icd-9-cm", "304.00", Category.SUBSTANCE_USE),
        ("urn:oid:2.16.840.1.113883.6.90", "A54.9", Category.SEXUAL_HEALTH),
    ],
)
def test_a_code_tells_its_category_wherever_it_stands(system: str, code: str, category: Category) -> None:
    coding = {"system": system, "code": code}
    places: list[dict[str, Any]] = [
        {"code": {"coding": [{"system": "http://example.org", "code": "x"}, coding]}},
        {"reasonCode": [{"coding": [coding]}]},
        {"item": [{"diagnosis": {"coding": [coding]}}]},
        {"valueCodeableConcept": {"coding": [coding]}},
    ]
    assert [labels.read({"resourceType": "Any", **place}, None) for place in places] == [{category}] * 4


@pytest.mark.parametrize("told", [*labels.TOLD])
def test_the_senders_label_is_taken(told: str) -> None:
    assert labels.read({"meta": {"security": [{"code": told}]}}, None) == {labels.TOLD[told]}


@pytest.mark.parametrize(("year", "minors"), [(2001, False), (2002, True), (2007, True), (2008, False)])
def test_what_a_minor_consented_to_alone_is_the_minors(year: int, minors: bool) -> None:
    resource = {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "8098009"}]}, "effectiveDateTime": f"{year}-02-03"}
    assert (Category.MINORS_SERVICES in labels.read(resource, "1990-02-03")) == minors


@pytest.mark.parametrize("junk", list(product([None, [], {}, "x", 7], repeat=2)))
def test_odd_input_has_no_label(junk: tuple[Any, Any]) -> None:
    assert labels.read({"meta": {"security": junk[0]}, "code": junk[1]}, "x") == set()


def test_an_import_labels_what_it_stores(cast: Cast, client_for: ClientFor) -> None:
    vera = patient()
    coding = {"system": "http://snomed.info/sct", "code": "86406008"}
    hiv = entry("Condition", subject={"reference": vera["fullUrl"]}, code={"coding": [coding]})
    report = import_bundle(source=stream(bundle(vera, hiv)), by=cast.nan)
    row = ClinicalResource.objects.get(patient_id=report.patient, type="Condition")
    assert labels.categories_of(row.patient_id, row.labels) == [Category.HIV]


@pytest.mark.parametrize("held", [[], ["0" * 16]])
def test_the_command_labels_again_what_older_rules_left(cast: Cast, held: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    body = '{"code": {"coding": [{"system": "http://snomed.info/sct", "code": "86406008"}]}}'
    row = ClinicalResource.objects.create(patient=cast.pia_record, type="Condition", body=body, body_key=b"k" * 32, labels=held)
    call_command("label_resources")
    row.refresh_from_db()
    assert row.labels == labels.tokens(cast.pia_record.pk, [Category.HIV])
    assert Entry.objects.filter(act=Act.LABELS_CHANGED, record_id=cast.pia_record.pk).count() == 1
    call_command("label_resources")
    assert capsys.readouterr().out.splitlines()[1].startswith("0 resources")
