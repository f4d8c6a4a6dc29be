"""Mail and text messages: to whom, saying nothing, and caught in a demonstration."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from uuid import UUID

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from audit.ledger import uuid7
from telehealth.outbox import services, texts
from telehealth.outbox.channels import Address
from telehealth.outbox.models import Message, State
from telehealth.outbox.moments import facts_of
from telehealth.rehearsal.network.server import Network
from tests.outbox.conftest import agree, wait_of
from tests.prescribing.network import running

PIA, GUS, NOBODY = uuid7(), uuid7(), uuid7()
AT = datetime(2026, 11, 24, 15, tzinfo=UTC)
BOOK = {PIA: Address("pia@moss.example", "+15551234567", "en"), GUS: Address("gus@moss.example")}
pytestmark = pytest.mark.django_db


def address_of(person_id: UUID) -> Address | None:
    """The tests' address book."""
    return BOOK.get(person_id)


def invitation_path(about_id: UUID) -> str:
    return f"/invitation/{about_id.hex}/"


def facts(about_id: UUID, language: str, zone: tzinfo) -> dict[str, str]:
    return facts_of(AT, zone)


@pytest.fixture(autouse=True)
def book(settings: Settings) -> None:
    settings.OUTBOX_ADDRESS_BOOK = "tests.outbox.test_channels.address_of"
    settings.OUTBOX_LINKS = dict.fromkeys(settings.OUTBOX_LINKS, "tests.outbox.test_channels.invitation_path")
    settings.OUTBOX_FACTS = dict.fromkeys(settings.OUTBOX_FACTS, "tests.outbox.test_channels.facts")


@pytest.fixture
def catcher(settings: Settings) -> Iterator[Network]:
    with running() as network:
        settings.DEMO = True
        settings.CATCHER_URL = f"http://127.0.0.1:{network.server_port}"
        settings.EMAIL_BACKEND = "telehealth.rehearsal.mail.Backend"
        settings.OUTBOX_SMS = "telehealth.rehearsal.mail.send_text"
        yield network


def notify(person: UUID, kind: str = "appointment_booked") -> UUID:
    about = uuid7()
    with transaction.atomic():
        services.notify(person_id=person, kind=kind, about_id=about)
    services.deliver_due()
    return about


def test_a_person_is_told_by_mail_and_by_text_message(catcher: Network) -> None:
    agree("+15551234567")
    notify(PIA)
    told = {(message["channel"], message["to"]) for message in catcher.catcher.messages()}
    assert told == {("email", "pia@moss.example"), ("sms", "+15551234567")}


def test_who_has_no_phone_gets_the_mail_alone(catcher: Network) -> None:
    notify(GUS)
    assert [message["channel"] for message in catcher.catcher.messages()] == ["email"]
    assert Message.objects.get(destination="sms").reason == "no_phone"


def test_an_invitation_carries_its_link_and_goes_by_mail_only(catcher: Network) -> None:
    about = notify(PIA, "invitation")
    (message,) = catcher.catcher.messages()
    assert message["links"] == [f"http://localhost:8000/invitation/{about.hex}/"]


def test_a_person_that_is_not_there_parks_the_message(catcher: Network) -> None:
    notify(NOBODY)
    assert {(m.state, m.reason) for m in Message.objects.all()} == {(State.PARKED, "no_such_person")}


def test_a_kind_that_nobody_wrote_is_refused_at_once() -> None:
    with pytest.raises(KeyError):
        notify(PIA, "gossip")


def test_a_catcher_that_is_down_is_tried_again_under_the_same_key(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "telehealth.rehearsal.mail.Backend"
    settings.CATCHER_URL = "http://127.0.0.1:9"
    notify(PIA, "invitation")
    message = Message.objects.get()
    assert (message.state, message.reason, wait_of(message)) == (State.PENDING, "mail_unavailable", 60)


def test_the_same_message_twice_is_caught_once(catcher: Network) -> None:
    notify(PIA, "invitation")
    Message.objects.update(state=State.PENDING, delivered_at=None)  # as if the worker died before it could say so
    services.deliver_due()
    Message.objects.filter(state=State.PENDING).update(due_at="2026-01-01T00:00Z")
    services.deliver_due()
    assert Message.objects.get().attempts == 2
    assert len(catcher.catcher.messages()) == 1


def test_mail_leaves_by_the_backend_the_settings_name(settings: Settings) -> None:
    notify(PIA, "invitation")
    (sent,) = mail.outbox
    assert sent.to == ["pia@moss.example"]
    assert sent.extra_headers["Message-ID"] == f"<{Message.objects.get().key}@telehealth>"


@pytest.mark.parametrize("kind", sorted(texts.TEXTS))
@pytest.mark.parametrize("language", ["en", "es", "xx", ""])
def test_every_kind_can_be_said_in_every_language(kind: str, language: str) -> None:
    said = texts.render(kind, uuid7(), language)
    assert said.subject
    assert "http://localhost:8000/" in said.text
    assert translation.get_language() == "en"


def test_dev_outbox_shows_what_was_caught(catcher: Network, client: Client) -> None:
    notify(PIA, "invitation")
    (message,) = client.get("/dev/outbox", {"format": "json"}, secure=True).json()
    assert message.keys() == {"channel", "to", "subject", "text", "links", "sent_at"}
    assert client.get("/dev/outbox", headers={"accept": "application/json"}, secure=True).json() == [message]
    page = client.get("/dev/outbox", headers={"accept": "text/html,*/*"}, secure=True)
    assert message["links"][0] in page.content.decode()


def test_dev_outbox_is_a_demonstration_s_alone_and_seen_from_here_alone(catcher: Network, client: Client, settings: Settings) -> None:
    assert client.get("/dev/outbox", REMOTE_ADDR="10.1.2.3", secure=True).status_code == 404
    settings.CATCHER_URL = "http://127.0.0.1:9"
    assert client.get("/dev/outbox", secure=True).status_code == 503
    settings.DEMO = False
    assert client.get("/dev/outbox", secure=True).status_code == 404
