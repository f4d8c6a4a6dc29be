"""SCRIPT 2017071: what we render fits the schema and says what was signed; what we read cannot harm us."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from prescribing import script, signature
from prescribing.script import NotScript
from telehealth.rehearsal.network import script as network_script
from telehealth.rehearsal.network import signing as network_signing
from telehealth.rehearsal.network.script import Envelope
from tests.prescribing.newrx import newrx

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = {"line": "1 Elm Street", "city": "Salem", "state": "MA", "postal_code": "01970"}
CONTENT: dict[str, Any] = {
    "number": "RX-1",
    "signed_at": "2026-11-21T10:00:00Z",
    "patient": {"family": "O'Moss & <Sons>", "given": "Pia", "gender": "F", "birth_date": "1980-02-03", "address": ADDRESS, "phone": ""},
    "prescriber": {"family": "Cho", "given": "Dana", "npi": "1234567893", "address": ADDRESS, "phone": "5551234567"},
    "pharmacy": {"ncpdp_id": "1234567", "npi": "", "name": "Corner", "address": ADDRESS, "phone": "5551234567"},
    "medication": {"rxcui": "308191", "term_type": "SCD", "description": "amoxicillin 500 MG Oral Capsule", "unit": "C48480"},
    "quantity": "21",
    "days_supply": 7,
    "refills": 0,
    "substitution": False,
    "sig": "Take  one capsule <3 times daily & rest\nfor 7 days",
    "note": "",
}


def rendered(**changes: Any) -> bytes:
    return script.new_rx(CONTENT | changes, message_id="m-1", clinic_id="clinic-1")


def test_what_was_signed_is_what_is_said() -> None:
    root = etree.fromstring(rendered())
    said = {
        path: root.findtext(f"Body/NewRx/{path}")
        for path in (
            "Patient/HumanPatient/Name/LastName",
            "MedicationPrescribed/Sig/SigText",
            "MedicationPrescribed/Quantity/Value",
            "MedicationPrescribed/Substitutions",
            "MedicationPrescribed/WrittenDate/Date",
        )
    }
    assert list(said.values()) == [CONTENT["patient"]["family"], CONTENT["sig"], "21", "1", "2026-11-21"]
    assert root.findtext("Header/PrescriberOrderNumber") == "RX-1"


def test_the_same_content_gives_the_same_bytes() -> None:
    assert rendered() == rendered()


def test_the_network_understands_what_we_render_and_we_what_it_answers() -> None:
    envelope = network_script.read(rendered())
    assert envelope == Envelope(to="1234567", sender="clinic-1", sender_qualifier="C", message_id="m-1", kind="NewRx")
    answer = script.read(network_script.error("900", "002", envelope))
    assert (answer.kind, answer.code, answer.description_code, answer.relates_to, answer.sender) == (
        "Error",
        "900",
        "002",
        "m-1",
        "1234567",
    )
    assert script.read(network_script.status("010", envelope)).code == "010"


def test_both_sides_speak_the_same_schema_and_the_same_signature() -> None:
    ours, theirs = (ROOT / name for name in ("prescribing/script/2017071.xsd", "telehealth/rehearsal/network/script-2017071.xsd"))
    assert ours.read_bytes() == theirs.read_bytes()
    assert signature.sign("s", b"body", 17) == network_signing.signature(b"s", b"body", 17)
    assert signature.HEADER == network_signing.HEADER


@pytest.mark.parametrize(
    "change",
    [
        {"sig": "x" * 1001},
        {"sig": ""},
        {"sig": "bell \x07"},
        {"refills": 100},
        {"days_supply": 0},
        {"quantity": "0"},
        {"quantity": "1.2345"},
        {"number": "x" * 36},
    ],
    ids=str,
)
def test_what_does_not_fit_is_not_cut_but_refused_without_quoting_it(change: dict[str, Any]) -> None:
    with pytest.raises(NotScript) as refusal:
        rendered(**change)
    assert str(next(iter(change.values()))) not in str(refusal.value) or change == {"sig": ""}


BOMB = b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Message>&b;</Message>'
XXE = b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + newrx(sig="&x;").split(b"?>", 1)[1]
EVIL = {
    "empty": b"",
    "not-xml": b"{}",
    "bomb": BOMB,
    "xxe": XXE,
    "xxe-utf16": XXE.decode().encode("utf-16"),
    "deep": b"<a>" * 5000 + b"</a>" * 5000,
    "unknown-element": newrx().replace(b"<Sig>", b"<Surprise/><Sig>"),
    "other-version": newrx().replace(b'TransactionVersion="20170715"', b'TransactionVersion="20230110"'),
}


@pytest.mark.parametrize("body", EVIL.values(), ids=EVIL)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(NotScript):
        script.read(body)


def test_a_signature_covers_body_and_time() -> None:
    header = signature.sign("s", b"body", 1000)
    assert signature.fault("s", b"body", header, 1299) == ""
    assert signature.fault("s", b"body", header, 1301) == "stale_signature"
    assert signature.fault("s", b"body", header, 699) == "stale_signature"
    assert signature.fault("s", b"bodY", header, 1000) == "bad_signature"
    assert signature.fault("t", b"body", header, 1000) == "bad_signature"
    assert signature.fault("s", b"body", header.replace("t=1000", "t=1001"), 1000) == "bad_signature"
    assert {signature.fault("s", b"body", bad, 1000) for bad in ("", "t=1", "v1=00", header + "\n", "t=1,v1=" + "é" * 64)} == {
        "bad_signature"
    }
