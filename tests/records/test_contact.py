"""How one is told, by REST: one's own for everybody, a caller's for the desk."""

from typing import Any

import pytest

from audit.ledger import SYSTEM, unit
from telehealth.outbox.models import ContactConsent
from telehealth.records.models import Patient
from tests.people import ClientFor, MakeAccount, Person

pytestmark = pytest.mark.django_db
OWN = "/api/v1/contact/"
USUAL = {"care": "any", "reminder": "any", "language": "", "timezone": "", "quiet_from": "21:00", "quiet_to": "08:00"}
NEVER_SAID = {"care": None, "reminder": None}


def patient(person: Person, phone: str | None = "617-555-0123") -> Patient:
    with unit(SYSTEM, channel="command"):
        return Patient.objects.create(account_id=person.id, mrn=f"C-{person.id}", family="Moss", given="Pia", phone=phone)


def test_one_changes_ones_own(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia = make_account("patient")
    patient(pia)
    client = client_for(pia)
    assert client.get(OWN).json() == {**USUAL, "number": True, "consents": NEVER_SAID}
    told = client.patch(OWN, {"reminder": "sms", "language": "es", "timezone": "America/Phoenix", "quiet_from": "20:00"}).json()
    assert told == {
        **USUAL, "reminder": "sms", "language": "es", "timezone": "America/Phoenix", "quiet_from": "20:00",
        "number": True, "consents": NEVER_SAID,
    }  # fmt: skip
    wrong: list[dict[str, Any]] = [
        {"care": "pigeon"},
        {"timezone": "Mars/Olympus"},
        {"language": "tlh"},
        {"quiet_to": "25:00"},
        {"number": "1"},
    ]
    assert [client.patch(OWN, each).status_code for each in wrong] == [400] * len(wrong)


def test_one_agrees_and_takes_it_back(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia = make_account("patient")
    patient(pia)
    client = client_for(pia)
    yes = client.post(f"{OWN}consents/", {"purposes": ["care", "reminder"], "verdict": "given"})
    assert (yes.status_code, yes.json()["consents"]) == (200, {"care": "given", "reminder": "given"})
    no = client.post(f"{OWN}consents/", {"purposes": ["care"], "verdict": "revoked"})
    assert no.json()["consents"] == {"care": "revoked", "reminder": "given"}
    assert set(ContactConsent.objects.values_list("source", "given_by", "person_id")) == {("portal", pia.id, pia.id)}
    assert client.post(f"{OWN}consents/", {"purposes": [], "verdict": "given"}).status_code == 400


def test_the_desk_writes_down_what_a_caller_says(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia, desk = make_account("patient"), make_account("front_desk")
    address = f"/api/v1/patients/{patient(pia).pk}/contact/"
    caller = client_for(desk)
    assert caller.patch(address, {"care": "sms"}).json()["care"] == "sms"
    assert caller.post(f"{address}consents/", {"purposes": ["care"], "verdict": "given"}).json()["consents"]["care"] == "given"
    assert ContactConsent.objects.values_list("source", "given_by", "person_id").get() == ("desk", desk.id, pia.id)
    assert client_for(pia).get(OWN).json() == caller.get(address).json()
    for stranger in ("patient", "provider", "nurse", "administrator"):
        other = client_for(make_account(stranger))
        asked = other.get(address), other.patch(address, {"care": "none"})
        assert {reply.status_code for reply in asked} == {404}, stranger


def test_without_a_number_or_an_account_there_is_nothing_to_agree_to(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia = make_account("patient")
    record = patient(pia, phone=None)
    yes = {"purposes": ["care"], "verdict": "given"}
    reply = client_for(pia).post(f"{OWN}consents/", yes)
    assert (reply.status_code, reply.json()["code"]) == (409, "no_number")
    assert client_for(pia).get(OWN).json()["number"] is False
    Patient.objects.filter(pk=record.pk).update(account_id=None)
    desk = client_for(make_account("front_desk"))
    nobody = desk.get(f"/api/v1/patients/{record.pk}/contact/")
    assert (nobody.status_code, nobody.json()["code"]) == (409, "no_account")
