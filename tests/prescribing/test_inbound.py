"""The network's door: what is signed and about something of ours is taken once; everything else gets its documented answer."""

import time
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from audit.ledger import Act
from prescribing import signature
from prescribing.machine import Status
from prescribing.models import Direction, Prescription, ScriptMessage
from telehealth.rehearsal.network import script as network
from telehealth.rehearsal.network.script import Envelope
from tests.prescribing.network import SECRET
from tests.prescribing.newrx import newrx
from tests.prescribing.ward import PHARMACY, Ward, again, outgoing_of

XXE = b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><Message>&x;</Message>'
BOMB = b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Message>&b;</Message>'


def post(body: bytes, *, secret: str = SECRET.decode(), at: int | None = None, header: str | None = None) -> Any:
    signed = signature.sign(secret, body, int(time.time()) if at is None else at) if header is None else header
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    return client.post("/inbound/script/", body, "application/xml", secure=True, headers={signature.HEADER: signed})


def about(prescription: Prescription, *, sender: str = PHARMACY) -> Envelope:
    """What the network knows of the NewRx it answers."""
    return Envelope(to=sender, sender="clinic-1", sender_qualifier="C", message_id=outgoing_of(prescription).message_id, kind="NewRx")


@pytest.fixture
def signed(ward: Ward) -> Prescription:
    return ward.signed()


def came() -> int:
    return ScriptMessage.objects.filter(direction=Direction.IN).count()


def test_a_repeat_is_accepted_and_changes_nothing(signed: Prescription, acts: Any) -> None:
    body = network.status("010", about(signed))
    assert [post(body).status_code for _ in range(3)] == [200, 200, 200]
    assert (again(signed).status, came()) == (Status.DELIVERED, 1)
    assert acts().count(Act.PRESCRIPTION_DELIVERED) == 1


def test_another_body_under_a_known_id_is_refused(signed: Prescription, acts: Any) -> None:
    body = network.status("010", about(signed))
    post(body)
    other = body.replace(b"<Code>010</Code>", b"<Code>000</Code>")
    reply = post(other)
    assert (reply.status_code, reply.json()["code"]) == (409, "message_id_reused")
    assert (again(signed).status, acts()[-1]) == (Status.DELIVERED, Act.REFUSED)


def test_an_error_of_the_pharmacy_needs_a_person(signed: Prescription) -> None:
    assert post(network.error("900", "002", about(signed))).status_code == 200
    assert (again(signed).status, again(signed).failure) == (Status.ERROR, "script_900_002")


@pytest.mark.parametrize("orphan", [{"message_id": "0" * 32}, {"to": "1234567"}], ids=["unknown-message", "another-pharmacy"])
def test_an_answer_to_nothing_of_ours_is_refused_on_record(signed: Prescription, orphan: dict[str, str], acts: Any) -> None:
    envelope = Envelope(**{**vars(about(signed)), **orphan})
    reply = post(network.status("010", envelope))
    assert (reply.status_code, reply.json()["code"]) == (404, "unknown_message")
    assert (again(signed).status, came(), acts()[-1]) == (Status.QUEUED, 0, Act.REFUSED)


def test_only_answers_are_taken(signed: Prescription, acts: Any) -> None:
    reply = post(newrx())
    assert (reply.status_code, reply.json()["code"], acts()[-1]) == (400, "unsupported_message", Act.REFUSED)


def test_our_own_message_sent_back_to_us_is_not_taken(signed: Prescription) -> None:
    assert post(outgoing_of(signed).body.encode()).status_code == 400
    assert again(signed).status == Status.QUEUED


FORGED: list[dict[str, Any]] = [{"header": ""}, {"header": "t=1,v1=" + "0" * 64}, {"header": "é"}, {"secret": "another"}, {"at": 0}]


def test_a_bad_or_old_signature_is_refused_on_record(signed: Prescription, acts: Any) -> None:
    for forged in (*FORGED, {"at": int(time.time()) - 302}, {"at": int(time.time()) + 310}):
        reply = post(network.status("010", about(signed)), **forged)
        assert (reply.status_code, reply.json()["code"] in ("bad_signature", "stale_signature")) == (401, True), forged
        assert acts()[-1] == Act.REFUSED
    assert again(signed).status == Status.QUEUED


def test_what_is_no_message_is_refused_on_record(signed: Prescription, acts: Any) -> None:
    for body in (b"", b"<", b"{}", XXE, BOMB, XXE.decode().encode("utf-16"), b"<Message/>"):
        reply = post(body)
        assert (reply.status_code, reply.json()["code"], acts()[-1]) == (400, "malformed", Act.REFUSED), body
        assert "passwd" not in reply.content.decode()


def test_ten_megabytes_are_refused_unread(signed: Prescription, acts: Any) -> None:
    reply = post(b"<" * 10_000_000)
    assert (reply.status_code, reply.json()["code"], acts()[-1]) == (413, "too_large", Act.REFUSED)


def test_the_door_opens_for_post_alone(signed: Prescription) -> None:
    assert Client().get("/inbound/script/", secure=True).status_code == 405


def test_without_a_secret_the_door_is_closed(signed: Prescription, settings: Any) -> None:
    settings.PHARMACY_NETWORK_SECRET = ""
    assert post(network.status("010", about(signed)), secret="").status_code == 401


def test_two_at_once_are_taken_once(signed: Prescription) -> None:
    """The database's own word, whatever path writes."""
    post(network.status("010", about(signed)))
    first = ScriptMessage.objects.get(direction=Direction.IN)
    twin = ScriptMessage(
        prescription=signed,
        patient_id=first.patient_id,
        direction=Direction.IN,
        partner=first.partner,
        kind="Status",
        message_id=first.message_id,
        body="x",
        digest=b"x",
    )
    with pytest.raises(DatabaseError, match="script_message_of_a_partner_comes_once"), transaction.atomic():
        twin.save()


def test_our_message_ids_are_unique_for_ever(signed: Prescription) -> None:
    ours = outgoing_of(signed)
    twin = ScriptMessage(
        prescription=signed,
        patient_id=ours.patient_id,
        direction=Direction.OUT,
        partner="7654321",
        kind="NewRx",
        message_id=ours.message_id,
        body="x",
        digest=b"x",
    )
    with pytest.raises(DatabaseError, match="script_message_id_ours_is_unique_for_ever"), transaction.atomic():
        twin.save()
