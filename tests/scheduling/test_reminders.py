"""Reminders: made once for each start, said once, not at night, and not of what is no longer so."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation
from pytest_django import Settings

from audit.ledger import SYSTEM, uuid7
from scheduling import services
from scheduling.models import AnswerLink, Appointment, Reminder
from scheduling.services.cancelling import cancel
from telehealth.core import now
from telehealth.outbox import services as outbox
from telehealth.outbox.models import Message, Purpose, State
from telehealth.outbox.rules import GATEWAY
from telehealth.records.models import License
from tests.scheduling.conftest import Clinic

PHONE = "+16175550147"
texts: list[tuple[str, str]] = []
pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def send_text(to: str, text: str, key: str) -> None:
    if key.startswith("reminder:"):
        texts.append((text, key))


@pytest.fixture(autouse=True)
def port(settings: Settings) -> Iterator[None]:
    settings.OUTBOX_SMS = "tests.scheduling.test_reminders.send_text"
    texts.clear()
    yield
    texts.clear()


@pytest.fixture
def awake(clinic: Clinic) -> Clinic:
    """Pia, who has a phone, agreed to texts and knows no quiet hours."""
    clinic.pia_record.phone = PHONE
    clinic.pia_record.save()
    outbox.say_consent(number=PHONE, purposes=Purpose.values, verdict="given", source="sms", by=GATEWAY)
    outbox.change_preference(person_id=clinic.pia.id, by=clinic.pia.by, quiet_from="00:00", quiet_to="00:00")
    return clinic


def booked(clinic: Clinic, minutes: int = 120) -> Appointment:
    """More than a day ahead, so that both reminders are to come."""
    return services.book(**clinic.wish(minutes))  # type: ignore[arg-type]


def remind(**options: Any) -> int:
    return services.make_reminders(by=SYSTEM, **options)


def due(appointment: Appointment) -> dict[int, Any]:
    return dict(Reminder.objects.filter(appointment=appointment).values_list("minutes_before", "due_at"))


def reminders(state: str = "") -> list[Message]:
    found = Message.objects.filter(kind="appointment_reminder").order_by("key")
    return list(found.filter(state=state) if state else found)


def come_due() -> None:
    """The hour of every reminder that waits has come."""
    Message.objects.filter(kind="appointment_reminder", state=State.PENDING).update(due_at=now() - timedelta(seconds=1))
    outbox.deliver_due()


def test_they_are_made_once_ahead_of_their_time(awake: Clinic) -> None:
    appointment = booked(awake)
    assert remind() == 2
    assert remind() == 0
    assert due(appointment) == {each: appointment.starts_at - timedelta(minutes=each) for each in (1440, 120)}
    start = int(appointment.starts_at.timestamp())
    assert [m.key for m in reminders()] == sorted(
        f"reminder:{appointment.pk}:{start}:{minutes}:{channel}" for minutes in (120, 1440) for channel in ("email", "sms")
    )
    assert {m.purpose for m in reminders()} == {"reminder"}
    with pytest.raises(IntegrityError, match="reminder_once_for_each_start"), transaction.atomic():
        Reminder.objects.create(appointment=appointment, minutes_before=120, for_start=appointment.starts_at)


def test_nothing_is_made_days_ahead_and_nothing_of_what_was_over_at_the_booking(awake: Clinic) -> None:
    far = booked(awake, 3 * 24 * 60)
    near = booked(awake, -20 * 60)  # in four hours
    assert remind() == 2
    assert due(far) == {}
    assert due(near) == {1440: None, 120: near.starts_at - timedelta(minutes=120)}


def test_after_an_outage_only_the_last_one_is_said(awake: Clinic) -> None:
    appointment = booked(awake, -22 * 60)  # within two hours
    Appointment.objects.filter(pk=appointment.pk).update(created_at=now() - 3 * DAY)
    remind()
    found = due(appointment)
    assert found[1440] is None
    assert abs(found[120] - now()) < timedelta(seconds=30), "late, but said"


def test_a_batch_is_a_step_and_the_rest_is_found_again(awake: Clinic) -> None:
    for minutes in range(70, 120, 10):
        booked(awake, minutes)
    assert remind(size=2) == 10
    assert (Reminder.objects.count(), len(reminders())) == (10, 20)


def test_it_is_said_by_mail_and_text_once_and_then_no_more(awake: Clinic, mailoutbox: list[Any]) -> None:
    appointment = booked(awake)
    remind()
    come_due()
    said = [mail for mail in mailoutbox if "appointments/answer/" in mail.body]
    assert len(said) == 2
    assert len(texts) == 1, "the second text of a day is one too many"
    come_due()
    remind()
    assert len([mail for mail in mailoutbox if "appointments/answer/" in mail.body]) == 2
    text, key = texts[0]
    assert key == f"reminder:{appointment.pk}:{int(appointment.starts_at.timestamp())}:1440:sms"
    assert len(text) <= 160
    assert text.startswith("Telehealth: Your appointment: ")
    assert text.endswith("Reply STOP to end.")


def test_no_word_tells_who_or_what_for(awake: Clinic, mailoutbox: list[Any]) -> None:
    booked(awake)
    remind()
    come_due()
    for text in [mail.subject + mail.body for mail in mailoutbox] + [text for text, _ in texts]:
        assert not {word for word in ("Somebody", "Of Note", "Cho", "Quick", "video") if word in text}


def test_the_time_is_by_the_persons_clock_with_its_zone(awake: Clinic, mailoutbox: list[Any]) -> None:
    outbox.change_preference(person_id=awake.pia.id, by=awake.pia.by, timezone="Asia/Kolkata", language="es")
    appointment = booked(awake)
    remind()
    come_due()
    local = appointment.starts_at.astimezone(ZoneInfo("Asia/Kolkata"))
    assert any(f"{local:%H:%M} (IST)" in mail.body for mail in mailoutbox)
    assert translation.get_language() == "en"


def test_quiet_hours_move_it_to_before_the_night(awake: Clinic) -> None:
    appointment = booked(awake)
    at = appointment.starts_at - timedelta(minutes=120)
    clock = {"quiet_from": (at - timedelta(hours=1)).time(), "quiet_to": (at + timedelta(hours=1)).time(), "timezone": "UTC"}
    outbox.change_preference(person_id=awake.pia.id, by=awake.pia.by, **clock)
    remind()
    assert due(appointment)[120] == at - timedelta(minutes=90)


def test_what_is_called_off_or_moved_is_not_said_and_the_new_time_is(awake: Clinic, mailoutbox: list[Any]) -> None:
    gone, moved = booked(awake, 100), booked(awake, 110)
    remind()
    cancel(appointment_id=gone.pk, reason="pat", by=awake.pia.by)
    services.reschedule(appointment_id=moved.pk, starts_at=awake.start(90), by=awake.desk.by)
    assert remind() == 2, "for the time that it has now"
    come_due()
    mails = [m for m in reminders() if m.destination == "email"]
    assert {m.reason for m in mails if str(gone.pk) in m.key} == {"appointment_not_booked"}
    start = str(int(awake.start(90).timestamp()))
    became = {(start in m.key, m.state, m.reason) for m in mails if str(moved.pk) in m.key}
    assert became == {(False, State.SKIPPED, "appointment_moved"), (True, State.DELIVERED, "")}


def test_a_reminder_of_what_has_begun_is_not_said(awake: Clinic) -> None:
    appointment = booked(awake)
    remind()
    past = now() - timedelta(minutes=1)
    appointment.occupancies.update(during=(past, appointment.ends_at))
    Appointment.objects.filter(pk=appointment.pk).update(starts_at=past)
    Reminder.objects.filter(appointment=appointment).update(for_start=past)
    come_due()
    assert {m.reason for m in reminders()} == {"too_late"}
    assert texts == []


def test_a_reminder_is_not_said_for_a_provider_whose_licence_has_ended(awake: Clinic, settings: Settings) -> None:
    booked(awake)
    remind()
    settings.LICENSURE = "enforce"
    License.objects.update(valid_to=(now() - DAY).date())
    come_due()
    assert {m.reason for m in reminders()} == {"not_licensed"}


def test_who_has_no_account_is_not_reminded(awake: Clinic) -> None:
    booked(awake)
    awake.pia_record.account_id = None
    awake.pia_record.save()
    assert remind() == 0


def test_links_of_what_is_over_are_forgotten(awake: Clinic) -> None:
    reminder = Reminder.objects.create(appointment=booked(awake), minutes_before=1, for_start=now() - timedelta(minutes=1))
    AnswerLink.objects.create(digest=uuid7().bytes * 2, reminder=reminder, ends_at=reminder.for_start)
    remind()
    assert not AnswerLink.objects.exists()
