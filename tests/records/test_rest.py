"""The faces: what each role gets, and what bad input gets."""

import json
from typing import Any

import pytest

from audit.ledger import Act, uuid7
from telehealth.records.api.patients import IMPORT_LIMIT
from telehealth.records.models import Patient
from telehealth.records.services import begin_care, import_bundle
from tests.cast import Cast
from tests.people import Acts, ClientFor
from tests.records.bundles import bundle, observation, patient, stream

BILLING = {"id", "mrn", "family", "given", "birth_date", "address"}
CONTACT = BILLING | {"phone", "email", "language", "is_deceased", "minor", "has_account"}
FULL = CONTACT | {"gender", "deceased", "version", "changed_at"}
FIELDS = {"pia": FULL, "gus": FULL, "dr_cho": FULL, "nan": FULL, "desk": CONTACT, "biller": BILLING}


@pytest.fixture
def in_care(cast: Cast) -> None:
    begin_care(patient_id=cast.pia_record.pk, practitioner_id=cast.cho.pk, source="assignment", source_id=uuid7(), by=cast.system)


@pytest.mark.parametrize("who", [*FIELDS, "ned", "dr_dee", "privacy", "admin"])
def test_each_role_sees_its_own_fields_and_no_others(who: str, cast: Cast, in_care: None, client_for: ClientFor) -> None:
    client = client_for(getattr(cast, who))
    answers = [
        client.get(f"/api/v1/patients/{cast.pia_record.pk}/").json(),
        *[row for row in client.get("/api/v1/patients/").json().get("results", []) if row["id"] == str(cast.pia_record.pk)],
        *client.post("/api/v1/patients/search/", {"mrn": cast.pia_record.mrn}).json().get("results", []),
    ]
    if who in FIELDS:
        assert [set(answer) for answer in answers] == [FIELDS[who]] * 3
    else:
        assert len(answers) == 1 and answers[0]["status"] == 404


@pytest.mark.parametrize("who", ["desk", "biller", "privacy", "admin", "dr_dee", "ned"])
def test_the_chart_is_closed_to_who_does_not_care_for_the_patient(who: str, cast: Cast, in_care: None, client_for: ClientFor) -> None:
    assert client_for(getattr(cast, who)).get(f"/api/v1/patients/{cast.pia_record.pk}/resources/").status_code == 404


def post_bundle(client: Any, content: Any, kind: str = "application/json") -> Any:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client.post("/api/v1/imports/", data=raw, content_type=kind)


def test_an_import_tells_what_became_of_it(cast: Cast, client_for: ClientFor) -> None:
    client, vera = client_for(cast.nan), patient()
    content = bundle(vera, observation(vera), observation(vera, issued="then"))
    first, again = post_bundle(client, content, "application/fhir+json"), post_bundle(client, content)

    assert (first.status_code, again.status_code) == (201, 201)
    told = first.json()
    assert told.pop("patient") == str(Patient.objects.latest("id").pk)
    assert told == {
        "created": True,
        "deceased": False,
        "minor": False,
        "stored": {"Patient": 1, "Observation": 2},
        "updated": {},
        "unchanged": {},
        "problems": [],
    }
    assert again.json()["unchanged"] == {"Patient": 1, "Observation": 2} and not again.json()["created"]


def test_an_import_under_one_key_is_one_import(cast: Cast, client_for: ClientFor) -> None:
    client, content = client_for(cast.nan), bundle(patient())
    answers = [
        client.post("/api/v1/imports/", data=json.dumps(sent), content_type="application/json", headers={"Idempotency-Key": "k"})
        for sent in (content, content, bundle(patient()))
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert answers[0].json()["patient"] == answers[1].json()["patient"] and answers[1].json()["unchanged"] == {"Patient": 1}
    assert Patient.objects.count() == 3


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "malformed_bundle"),
        (b"{", 400, "malformed_bundle"),
        (b"[]", 400, "not_a_transaction_bundle"),
        (bundle(), 400, "patient_missing"),
        (bundle(patient(), patient()), 400, "several_patients"),
        (bundle(patient(), 7), 400, "malformed_bundle"),
        (b"[" * 100_000, 400, "bundle_too_deep"),
        (b'{"a":' + b"9" * 9999 + b"}", 400, "malformed_bundle"),
        (b" " * (IMPORT_LIMIT + 1), 413, "too_large"),
    ],
)
def test_bad_bundles_get_the_documented_answer(content: Any, status: int, code: str, cast: Cast, client_for: ClientFor) -> None:
    answer = post_bundle(client_for(cast.nan), content)
    assert (answer.status_code, answer.json()["code"], answer["Content-Type"]) == (status, code, "application/problem+json")
    assert Patient.objects.count() == 2


def test_an_import_as_something_else_is_no_import(cast: Cast, client_for: ClientFor) -> None:
    assert post_bundle(client_for(cast.nan), bundle(patient()), "text/plain").status_code == 415
    assert post_bundle(client_for(cast.desk), bundle(patient())).status_code == 404


def test_ids_that_are_none_and_types_that_are_none_are_not_found_or_refused(cast: Cast, client_for: ClientFor) -> None:
    client = client_for(cast.pia)
    own = f"/api/v1/patients/{cast.pia_record.pk}/resources/"
    assert client.get("/api/v1/patients/1/").status_code == 404
    assert client.get(f"{own}?type=../..").status_code == 400
    assert client.get(f"{own}?kind=x").status_code == 400
    assert client.get(f"{own}{uuid7()}/").status_code == 404
    assert client.get(f"{own}?type=Nothing").json() == {"results": [], "next": None}


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": {}}, {"name": "a"}, {"nom": "x"}, {"birth_date": "soon"}, [], "x", {"name": "x" * 101}, {"name": None}],
)
def test_a_search_for_nothing_sensible_is_refused(body: Any, cast: Cast, client_for: ClientFor) -> None:
    assert client_for(cast.desk).post("/api/v1/patients/search/", body).status_code == 400


def test_practitioners_are_those_of_the_clinic(cast: Cast, client_for: ClientFor) -> None:
    vera = patient()
    import_bundle(source=stream(bundle(vera, {"resource": {"resourceType": "Practitioner", "name": [{"family": "Old"}]}})), by=cast.nan)
    rows = client_for(cast.pia).get("/api/v1/practitioners/").json()["results"]
    assert {row["name"] for row in rows} == {"Ana Cho", "Ben Dee"}
    assert rows[0]["licenses"][0]["state"] == "MA"


def test_me_knows_ones_record_and_ones_entry(cast: Cast, client_for: ClientFor) -> None:
    assert client_for(cast.pia).get("/api/v1/me/").json()["patient"] == str(cast.pia_record.pk)
    assert client_for(cast.dr_cho).get("/api/v1/me/").json()["practitioner"] == str(cast.cho.pk)
    mine = client_for(cast.gus).get("/api/v1/me/").json()
    assert (mine["patient"], mine["practitioner"]) == (None, None)


def test_without_a_second_factor_there_is_nothing(cast: Cast, client_for: ClientFor) -> None:
    client = client_for(cast.pia, factor_at=None)
    for path in ("", f"{cast.pia_record.pk}/", f"{cast.pia_record.pk}/resources/"):
        assert client.get(f"/api/v1/patients/{path}").status_code == 403


def test_a_refused_reading_is_on_record(cast: Cast, client_for: ClientFor, acts: Acts) -> None:
    client_for(cast.ned).get(f"/api/v1/patients/{cast.pia_record.pk}/")
    assert acts() == [Act.REFUSED]
