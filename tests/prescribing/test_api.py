"""Prescriptions by REST."""

from datetime import timedelta
from typing import Any

import pytest

from audit.ledger import uuid7
from prescribing.models import Prescription
from telehealth.core import now
from tests.prescribing.ward import AMOXICILLIN, PHARMACY, Ward, status_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(ward: Ward) -> dict[str, Any]:
    return {
        "visit": str(ward.visit.pk),
        "medication": AMOXICILLIN,
        "pharmacy": PHARMACY,
        "sig": "Take one capsule three times a day",
        "quantity": "21",
        "days_supply": 7,
    }


def test_from_the_formulary_to_a_signature(ward: Ward, order: dict[str, Any], client_for: Any) -> None:
    cho = client_for(ward.cast.dr_cho)
    drugs = cho.get("/api/v1/medications/", {"q": "amox caps"}).json()["results"]
    assert [drug["rxcui"] for drug in drugs] == [AMOXICILLIN]
    assert cho.get("/api/v1/pharmacies/").json()["results"][0]["ncpdp_id"] == PHARMACY

    made = cho.post("/api/v1/prescriptions/", order, format="json")
    assert (made.status_code, made.json()["status"], made.json()["intact"]) == (201, "draft", None)
    address = f"/api/v1/prescriptions/{made.json()['id']}/"
    signed = cho.post(f"{address}sign/", {"code": ward.code()}, format="json")
    assert (signed.status_code, signed.json()["status"], signed.json()["intact"]) == (200, "queued", True)
    assert cho.get(address).headers["ETag"] == '"2"'
    assert cho.post(f"{address}sign/", {"code": ward.code()}, format="json").json()["code"] == "already_signed"
    assert cho.post(f"{address}cancel/", format="json").json()["code"] == "already_signed"


def test_the_patient_reads_what_was_signed_and_the_neighbour_finds_nothing(ward: Ward, client_for: Any) -> None:
    draft, signed = ward.draft(), ward.signed()
    pia, ned = client_for(ward.cast.pia), client_for(ward.cast.ned)
    found = pia.get("/api/v1/prescriptions/", {"visit": str(ward.visit.pk)}).json()["results"]
    assert [(row["id"], row["medication"]["name"], row["sig"]) for row in found] == [
        (str(signed.pk), "amoxicillin", "Take one capsule three times a day")
    ]
    assert pia.get(f"/api/v1/prescriptions/{draft.pk}/").status_code == 404
    nothing = ned.get(f"/api/v1/prescriptions/{signed.pk}/")
    assert (nothing.status_code, nothing.json()) == (404, ned.get(f"/api/v1/prescriptions/{uuid7()}/").json())
    assert ned.get("/api/v1/prescriptions/").json()["results"] == []
    assert ned.get("/api/v1/prescriptions/", {"visit": str(ward.visit.pk)}).status_code == 404
    assert pia.post(f"/api/v1/prescriptions/{signed.pk}/sign/", {"code": "000000"}, format="json").status_code == 404


def test_a_repeated_request_writes_one_draft(ward: Ward, order: dict[str, Any], client_for: Any) -> None:
    cho = client_for(ward.cast.dr_cho)
    first, second = (cho.post("/api/v1/prescriptions/", order, format="json", headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert Prescription.objects.count() == 1
    other = cho.post("/api/v1/prescriptions/", order | {"refills": 1}, format="json", headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


BAD_ORDERS: list[tuple[dict[str, Any], int, str]] = [
    ({"surprise": 1}, 400, "invalid"),
    ({"visit": "x"}, 400, "invalid"),
    ({"quantity": "many"}, 400, "invalid"),
    ({"quantity": "-1"}, 400, "order_unfit"),
    ({"quantity": "NaN"}, 400, "invalid"),
    ({"sig": ""}, 400, "invalid"),
    ({"sig": "bell \x07"}, 400, "order_unfit"),
    ({"sig": 7 * ["x"]}, 400, "invalid"),
    ({"days_supply": 400}, 400, "order_unfit"),
    ({"refills": True}, 400, "invalid"),
    ({"medication": "404"}, 400, "unknown_medication"),
    ({"pharmacy": "0000000"}, 400, "unknown_pharmacy"),
    ({"visit": "01a1fe03-b4d1-7721-b59a-c5f86339d64f"}, 404, "not_found"),
]


def test_bad_orders_get_their_answer(ward: Ward, order: dict[str, Any], client_for: Any) -> None:
    cho = client_for(ward.cast.dr_cho)
    for change, status, code in BAD_ORDERS:
        reply = cho.post("/api/v1/prescriptions/", order | change, format="json")
        assert (reply.status_code, reply.json()["code"]) == (status, code), change
    assert not Prescription.objects.exists()


def test_a_wrong_code_signs_nothing_and_a_used_one_says_when_the_next_is_good(ward: Ward, client_for: Any) -> None:
    cho, draft, code = client_for(ward.cast.dr_cho), ward.draft(), ward.code()
    wrong = cho.post(f"/api/v1/prescriptions/{draft.pk}/sign/", {"code": "0"}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "code_wrong")
    assert cho.post(f"/api/v1/prescriptions/{ward.draft().pk}/sign/", {"code": code}, format="json").status_code == 200
    replayed = cho.post(f"/api/v1/prescriptions/{draft.pk}/sign/", {"code": code}, format="json")
    assert (replayed.status_code, replayed.json()["code"], "next_code_at" in replayed.json()) == (409, "code_replayed", True)
    assert status_of(draft.pk) == "draft"


def test_a_prescription_without_word_from_the_pharmacy_says_so(ward: Ward) -> None:
    signed = ward.signed()
    assert not signed.unconfirmed
    signed.signed_at = now() - timedelta(minutes=11)
    assert signed.unconfirmed
    signed.status = "delivered"
    assert not signed.unconfirmed
