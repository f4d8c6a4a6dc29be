"""The biller sees codes and coverage, no text and no note; sensitive rows by the patient's consent to billing alone."""

import json
from typing import Any

import pytest

from audit.ledger import Act
from audit.ledger.models import Entry
from telehealth.records import labels
from telehealth.records.billing import codes
from telehealth.records.labels import Category
from telehealth.records.models import ClinicalResource
from tests.cast import Cast
from tests.people import ClientFor

SNOMED = {"system": "http://snomed.info/sct", "code": "195662009", "display": "CANARY"}
CONDITION = {"resourceType": "Condition", "code": {"coding": [SNOMED], "text": "CANARY"}, "note": [{"text": "CANARY"}]}
COVERAGE = {
    "resourceType": "Coverage",
    "payor": [{"display": "Acme Health"}],
    "subscriberId": "A-1",
    "period": {"start": "2026-01-01"},
    "text": {"div": "CANARY"},
}


def kept(cast: Cast, body: Any, *categories: Category) -> ClinicalResource:
    told = labels.tokens(cast.pia_record.pk, categories)
    kind = body["resourceType"]
    return ClinicalResource.objects.create(patient=cast.pia_record, type=kind, body=json.dumps(body), body_key=b"k" * 32, labels=told)


def bill(client: Any, cast: Cast) -> Any:
    return client.get(f"/api/v1/patients/{cast.pia_record.pk}/billing/")


def test_codes_and_coverage_without_a_word_of_text(cast: Cast, client_for: ClientFor) -> None:
    condition, covered = kept(cast, CONDITION), kept(cast, COVERAGE)
    kept(cast, {"resourceType": "DocumentReference", "description": "CANARY"})
    reply = bill(client_for(cast.biller), cast)

    assert reply.status_code == 200 and b"CANARY" not in reply.content
    rows = {row["id"]: row for row in reply.json()["results"]}
    assert set(rows) == {str(condition.pk), str(covered.pk)}
    assert rows[str(condition.pk)]["codes"] == [{"system": SNOMED["system"], "code": SNOMED["code"]}]
    told = rows[str(covered.pk)]["coverage"]
    assert (told["payor"], told["subscriber"], told["starts"]) == ("Acme Health", "A-1", "2026-01-01")
    opened = Entry.objects.filter(act=Act.RECORD_OPENED, actor_id=cast.biller.id, record_id=cast.pia_record.pk)
    assert opened.exists()


@pytest.mark.parametrize("who", ["pia", "gus", "ned", "dr_cho", "nan", "desk", "privacy", "admin"])
def test_bills_are_the_billers_business(cast: Cast, client_for: ClientFor, who: str) -> None:
    kept(cast, CONDITION)
    assert bill(client_for(getattr(cast, who)), cast).status_code == 404


@pytest.mark.parametrize("category", list(Category))
def test_a_sensitive_row_needs_a_consent_to_billing(cast: Cast, client_for: ClientFor, category: Category) -> None:
    hidden = kept(cast, CONDITION, category)
    pia, biller = client_for(cast.pia), client_for(cast.biller)
    for recipient, seen in (({"kind": "care_team"}, []), ({"kind": "role", "role": "biller"}, [str(hidden.pk)])):
        given = {"category": category, "recipient": recipient, "text_version": "1"}
        assert pia.post(f"/api/v1/patients/{cast.pia_record.pk}/consents/", given).status_code == 201
        assert [row["id"] for row in bill(biller, cast).json()["results"]] == seen


@pytest.mark.parametrize(
    "body",
    [
        {"code": {"coding": [{"system": "http://x", "code": "free text here"}]}},
        {"code": "x", "type": 3, "class": ["y"], "reasonCode": [{"coding": "z"}]},
        {"code": {"coding": [{"code": "no-system"}]}},
    ],
)
def test_free_text_in_a_codes_place_is_no_code(cast: Cast, body: Any) -> None:
    assert codes(kept(cast, {"resourceType": "Condition", **body})) == []


def test_the_billers_page_of_found_patients_has_no_phone(cast: Cast, client_for: ClientFor) -> None:
    for who, shown in ((cast.biller, False), (cast.desk, True)):
        page = client_for(who).form("/desk/", mrn=cast.pia_record.mrn)
        assert b"Quill" in page.content
        assert (b"617-555-0100" in page.content) is shown
