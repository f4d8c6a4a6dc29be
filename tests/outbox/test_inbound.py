"""What people text back: a stop counts at once, in either language and in whatever words; nothing of it is kept."""

import json
import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from audit.ledger import SYSTEM, Actor, unit, uuid7
from audit.ledger.models import Entry
from telehealth.core.errors import Refused
from telehealth.core.signature import sign
from telehealth.outbox import services
from telehealth.outbox.models import ContactConsent, InboundText, Purpose, SentText
from telehealth.outbox.numbers import index_of
from telehealth.outbox.replies import Meaning, meaning_of
from telehealth.outbox.rules import GATEWAY
from telehealth.outbox.selectors import consents
from telehealth.vault import integrations
from tests.outbox.conftest import agree

PHONE, SECRET = "+16175550188", "between the clinic and its gateway"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shared(settings: Settings) -> None:
    settings.SMS_INBOUND_SECRET = SECRET
    settings.CLINIC_PHONE = "617-555-0100"


def bring(text: str, *, id: str = "", secret: str = SECRET, ago: int = 0, more: dict[str, Any] | None = None) -> Any:
    body = json.dumps({"id": id or uuid7().hex, "from": PHONE, "text": text, **(more or {})}).encode()
    signature = sign(secret, body, int(time.time()) - ago)
    return Client().post("/api/v1/sms/inbound/", body, "application/json", headers={"X-Sms-Signature": signature}, secure=True)


def reply(text: str, *, id: str = "") -> str:
    answer = bring(text, id=id)
    assert answer.status_code == 200, answer.content
    return str(answer.json()["reply"])


STOPS = (
    "STOP|stop| Stop. |STOPALL|stop all|UNSUBSCRIBE|CANCEL|End|quit|REVOKE|OPT OUT|opt-out|optout|please stop texting me|Unsubscribe me!|"
    "ALTO|parar|Pare|¡Alto!|no más|Cancelar|BAJA|alto por favor"
)


@pytest.mark.parametrize("text", STOPS.split("|"))
def test_every_way_to_say_stop_is_one(text: str) -> None:
    agree(PHONE)
    assert "START" in reply(text)
    assert consents(PHONE) == dict.fromkeys(Purpose, False)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("start", Meaning.START),
        ("UNSTOP", Meaning.START),
        ("help", Meaning.HELP),
        ("AYUDA", Meaning.HELP),
        ("para mí", Meaning.OTHER),
        ("cancel my appointment", Meaning.OTHER),
        ("yes", Meaning.OTHER),
        ("", Meaning.OTHER),
        ("👍", Meaning.OTHER),
    ],
)
def test_what_is_no_stop(text: str, meaning: Meaning) -> None:
    assert meaning_of(text)[0] == meaning


def test_a_stop_is_confirmed_once_and_a_start_takes_it_back() -> None:
    agree(PHONE, "reminder")
    assert reply("STOP").startswith("Telehealth: you get no more texts")
    assert reply("STOP") == ""
    assert ContactConsent.objects.count() == 3, "what changes nothing is not written again"
    assert "again" in reply("START")
    assert consents(PHONE) == dict.fromkeys(Purpose, True)
    assert consents("+16175550199") == dict.fromkeys(Purpose), "another number"


def test_help_and_anything_else_get_an_answer_and_change_nothing() -> None:
    assert "617-555-0100" in reply("HELP")
    assert "nobody reads this" in reply("My chest hurts")
    assert not ContactConsent.objects.exists()


def test_a_repeat_is_ignored() -> None:
    assert reply("STOP", id="m-1")
    agree(PHONE)
    assert reply("STOP", id="m-1") == ""
    assert consents(PHONE) == dict.fromkeys(Purpose, True), "the yes came after it"


def test_the_answer_is_in_the_language_of_the_last_text() -> None:
    agree(PHONE)
    assert "nobody reads" in reply("hola")
    SentText.objects.create(key="k", number=index_of(PHONE), purpose="care", language="es", day="2026-01-01")
    assert "Nadie" in reply("hola")
    assert "no recibirá más" in reply("STOP")
    assert "START" in reply("comenzar")


def test_only_the_gateway_is_heard(settings: Settings) -> None:
    agree(PHONE)
    assert bring("STOP", secret="another").status_code == 401
    assert bring("STOP", ago=301).json()["code"] == "stale_signature"
    body = Client().post("/api/v1/sms/inbound/", b"{}", "application/json", secure=True)
    assert (body.status_code, body.json()["code"]) == (401, "bad_signature")
    settings.SMS_INBOUND_SECRET = ""
    assert bring("STOP", secret="").status_code == 401, "without a secret nothing comes in"
    assert consents(PHONE) == dict.fromkeys(Purpose, True)
    assert Entry.objects.filter(role="sms_gateway", reason="bad_signature").count() >= 3
    for by in (SYSTEM, Actor(id=uuid7(), role="front_desk")):
        with pytest.raises(Refused):
            services.take_text(number=PHONE, words="STOP", gateway_id="x", by=by)


def test_the_secret_may_be_sealed(settings: Settings) -> None:
    with unit(SYSTEM, channel="command"):
        integrations.seal(name="sms", value="of the vault", by=SYSTEM)
    settings.SMS_INBOUND_SECRET = "sealed:sms"
    assert bring("HELP", secret="of the vault").status_code == 200
    assert bring("HELP", secret="sealed:sms").status_code == 401


@pytest.mark.parametrize("more", [{"from": "Mrs Moss"}, {"text": None}, {"media": []}, {"id": ""}, {"text": "x" * 2001}])
def test_what_is_no_text_is_refused(more: dict[str, Any]) -> None:
    assert bring("STOP", more=more).status_code == 400
    body = b"{"
    signed = {"X-Sms-Signature": sign(SECRET, body, int(time.time()))}
    assert Client().post("/api/v1/sms/inbound/", body, "application/json", headers=signed, secure=True).status_code == 400
    assert not InboundText.objects.exists()


def test_words_and_numbers_are_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    reply("My chest hurts terribly")
    reply("STOP")
    assert "terribly" not in caplog.text
    with connection.cursor() as cursor:
        for table in ("outbox_inboundtext", "outbox_contactconsent", "audit_entry"):
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            text = "".join(row for (row,) in cursor.fetchall())
            assert "terribly" not in text
            assert "5550188" not in text
    assert Entry.objects.filter(actor_id=None, role=GATEWAY.role, act="contact.consent_revoked").count() == 2
