"""How people want to be told, what numbers agreed to, and when a text does not leave."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django import Settings

from audit.ledger import SYSTEM, Act, Actor, uuid7
from audit.ledger.models import Entry
from telehealth.accounts.access import Role
from telehealth.core import now
from telehealth.core.errors import Refused
from telehealth.outbox import selectors, services
from telehealth.outbox.channels import Address
from telehealth.outbox.errors import NoNumber
from telehealth.outbox.models import ContactConsent, ContactPreference, Message, SentText, State
from telehealth.outbox.rules import GATEWAY
from telehealth.outbox.services.texting import reserve
from tests.outbox.conftest import agree

PHONE = "+16175550147"
PIA, NED = Actor(id=uuid7(), role=Role.PATIENT), Actor(id=uuid7(), role=Role.PATIENT)
DESK = Actor(id=uuid7(), role=Role.FRONT_DESK)
left: list[tuple[str, str, str]] = []
pytestmark = pytest.mark.django_db


def address_of(person_id: UUID) -> Address:
    return Address("pia@moss.example", PHONE, "en") if person_id == PIA.id else Address("ned@moss.example")


def send_text(to: str, text: str, key: str) -> None:
    left.append((to, text, key))


def no_longer(about_id: UUID) -> None:
    raise services.delivering.Skip("appointment_moved")


@pytest.fixture(autouse=True)
def port(settings: Settings) -> Iterator[None]:
    settings.OUTBOX_ADDRESS_BOOK = "tests.outbox.test_contact.address_of"
    settings.OUTBOX_SMS = "tests.outbox.test_contact.send_text"
    settings.OUTBOX_FACTS, settings.OUTBOX_CHECKS = {}, {}
    left.clear()
    yield
    left.clear()


def told(kind: str = "appointment_booked", *, person: Actor = PIA, purpose: str = "", key: str = "") -> dict[str, tuple[str, str]]:
    """Tell it, deliver what is due; per channel what became of it."""
    about = uuid7()
    with transaction.atomic():
        services.notify(person_id=person.account, kind=kind, about_id=about, purpose=purpose, key=key)
    services.deliver_due()
    return {each.destination: (each.state, each.reason) for each in Message.objects.filter(object_id=about)}


def wish(by: Actor = PIA, **wishes: object) -> ContactPreference:
    return services.change_preference(person_id=PIA.account, by=by, **wishes)


SENT = (State.DELIVERED, "")


def test_no_text_leaves_without_consent_to_its_purpose() -> None:
    assert told() == {"email": SENT, "sms": (State.SKIPPED, "no_consent")}
    agree(PHONE, "reminder")
    assert told()["sms"] == (State.SKIPPED, "no_consent"), "to reminders is not to messages about care"
    agree(PHONE, "care")
    assert told()["sms"] == SENT
    agree("(617) 555-0147", "care", verdict="revoked")
    assert told()["sms"] == (State.SKIPPED, "no_consent"), "the same number, however it is written"
    assert [to for to, _, _ in left] == [PHONE]


def test_consent_is_asked_at_the_last_moment() -> None:
    agree(PHONE)
    message = Message(key="k", kind="appointment_booked", purpose="care")
    contact = selectors.contact_of(PIA.id)
    assert reserve(message, PHONE, contact) == ""
    agree(PHONE, verdict="revoked")
    assert reserve(message, PHONE, contact) == "no_consent"


def test_who_wants_text_messages_gets_no_mail_beside_and_mail_where_no_text_can_be() -> None:
    wish(care="sms")
    assert told() == {"email": SENT, "sms": (State.SKIPPED, "no_consent")}
    agree(PHONE)
    assert told() == {"email": (State.SKIPPED, "prefers_sms"), "sms": SENT}
    wish(care="email")
    assert told() == {"email": SENT, "sms": (State.SKIPPED, "prefers_email")}
    wish(care="none")
    assert set(told().values()) == {(State.SKIPPED, "not_wanted")}
    assert told("account_locked") == {"email": SENT}, "what concerns the account is told in any case"


def test_reminders_to_a_number_are_one_a_day_and_three_a_week(settings: Settings) -> None:
    agree(PHONE)
    wish(quiet_from="00:00", quiet_to="00:00")
    assert told(purpose="reminder")["sms"] == SENT
    assert told(purpose="reminder")["sms"] == (State.SKIPPED, "text_limit")
    assert told()["sms"] == SENT, "of other messages there may be more"
    for days in (1, 2):
        yesterdays()
        assert told(purpose="reminder")["sms"] == SENT, days
    yesterdays()
    assert told(purpose="reminder")["sms"] == (State.SKIPPED, "text_limit"), "a fourth within the week"
    for _ in range(4):
        yesterdays()
    assert told(purpose="reminder")["sms"] == SENT


def yesterdays() -> None:
    """As if it had all been a day earlier."""
    for row in SentText.objects.all():
        SentText.objects.filter(pk=row.pk).update(day=row.day - timedelta(days=1))


def test_at_the_limit_who_wanted_a_text_gets_a_mail() -> None:
    agree(PHONE)
    wish(reminder="sms", quiet_from="00:00", quiet_to="00:00")
    assert told(purpose="reminder") == {"email": (State.SKIPPED, "prefers_sms"), "sms": SENT}
    assert told(purpose="reminder") == {"email": SENT, "sms": (State.SKIPPED, "text_limit")}


def test_a_second_try_of_the_same_message_is_no_second_text() -> None:
    agree(PHONE)
    wish(quiet_from="00:00", quiet_to="00:00")
    message = Message(key="same", kind="appointment_booked", purpose="reminder")
    contact = selectors.contact_of(PIA.id)
    assert [reserve(message, PHONE, contact) for _ in range(3)] == [""] * 3
    assert reserve(Message(key="other", purpose="reminder"), PHONE, contact) == "text_limit"


def test_no_reminder_is_texted_in_quiet_hours() -> None:
    agree(PHONE)
    clock = now().astimezone(selectors.contact_of(None).zone)
    wish(quiet_from=(clock - timedelta(hours=1)).time(), quiet_to=(clock + timedelta(hours=1)).time())
    about = told(purpose="reminder")
    assert about == {"email": SENT, "sms": (State.PENDING, "quiet_hours")}
    waiting = Message.objects.get(state=State.PENDING)
    assert waiting.attempts == 0, "that is no failed try"
    assert timedelta(minutes=59) < waiting.due_at - now() < timedelta(minutes=61)
    assert told()["sms"] == SENT, "what is no reminder comes when it happens"


def test_what_is_no_longer_to_be_said_is_not_said(settings: Settings) -> None:
    settings.OUTBOX_CHECKS = {"appointment_booked": "tests.outbox.test_contact.no_longer"}
    agree(PHONE)
    assert set(told().values()) == {(State.SKIPPED, "appointment_moved")}
    assert left == []


def test_what_is_due_later_waits_and_holds_up_nothing() -> None:
    with transaction.atomic():
        services.notify(person_id=PIA.account, kind="appointment_booked", about_id=uuid7(), due_at=now() + timedelta(hours=1), key="k")
        services.notify(person_id=PIA.account, kind="appointment_booked", about_id=uuid7(), due_at=now(), key="k")
    assert set(Message.objects.values_list("key", flat=True)) == {"k:email", "k:sms"}, "one key, said once by each channel"
    assert told()["email"] == SENT
    assert set(Message.objects.filter(key__startswith="k:").values_list("state", flat=True)) == {State.PENDING}


def test_the_ledger_of_consents_keeps_no_number_and_loses_nothing() -> None:
    agree(PHONE)
    (row, _) = ContactConsent.objects.all()
    assert len(bytes(row.number)) == 32
    assert b"5550147" not in bytes(row.number)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        ContactConsent.objects.update(verdict="revoked")
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM outbox_contactconsent")
    with pytest.raises(IntegrityError, match="contact_consent_says_what_is_known"), transaction.atomic():
        ContactConsent.objects.create(number=b"n" * 32, purpose="care", verdict="maybe", source="desk")
    with pytest.raises(IntegrityError, match="contact_preference_ways_are_known"), transaction.atomic():
        ContactPreference.objects.create(person_id=uuid7(), care="owl")


def test_everybody_speaks_for_themselves_and_the_desk_for_a_caller() -> None:
    assert wish(DESK, language="es").language == "es"
    yes = {"number": PHONE, "purposes": ["care"], "verdict": "given", "person_id": PIA.account}
    services.say_consent(**yes, source="desk", by=DESK)
    services.say_consent(**yes, source="portal", by=PIA)
    for stranger in (NED, Actor(id=uuid7(), role=Role.PROVIDER), GATEWAY, SYSTEM):
        with pytest.raises(Refused):
            wish(stranger, language="en")
        with pytest.raises(Refused):
            services.say_consent(**yes, source="portal", by=stranger)
    with pytest.raises(Refused):
        services.say_consent(**yes | {"person_id": None}, source="sms", by=PIA)
    with pytest.raises(NoNumber):
        services.say_consent(**yes | {"number": ""}, source="portal", by=PIA)
    assert ContactConsent.objects.count() == 2


def test_what_was_agreed_is_on_record_without_the_number() -> None:
    agree(PHONE, "care")
    wish(language="es")
    consent, preference = ContactConsent.objects.get(), ContactPreference.objects.get()
    found = {entry.act: entry.detail for entry in Entry.objects.filter(object_pk__in=[str(consent.pk), str(preference.pk)])}
    assert set(found) == {Act.CONTACT_CONSENT_GIVEN, Act.CONTACT_PREFERENCE_CHANGED}
    assert "5550147" not in str(found)


def test_who_is_forgotten_has_no_wishes_left_and_the_consents_stay() -> None:
    wish(language="es")
    agree(PHONE)
    services.forget_messages(people=[PIA.account], objects=[], using="default", by=SYSTEM)
    assert not ContactPreference.objects.exists()
    assert ContactConsent.objects.count() == 2
