"""What goes along with a patient's mails: one event under one UID, through a move to the end of it, and nothing about them."""

from datetime import timedelta
from email import message_from_bytes
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.db import transaction
from icalendar import Calendar

from audit.ledger import uuid7
from scheduling import invites, services
from scheduling.models import Appointment
from telehealth.outbox.models import Message
from telehealth.outbox.services import deliver_due, notify
from telehealth.records.models import Patient
from tests.scheduling.conftest import Clinic


def sent() -> list[tuple[str, Any]]:
    """The calendars that have left by mail since last asked, as a mail program finds them: (method of the part, calendar)."""
    deliver_due()
    parts = [part for each in mail.outbox for part in message_from_bytes(each.message().as_bytes()).walk()]
    mail.outbox.clear()
    found = [part for part in parts if part.get_content_type() == "text/calendar"]
    return [(str(part.get_param("method")), Calendar.from_ical(part.get_payload(decode=True))) for part in found]


def facts(calendar: Any) -> dict[str, Any]:
    (event,) = calendar.events
    return {
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "status": str(event["STATUS"]),
        "start": event.start,
        "end": event.end,
    }


def reads_as(said: tuple[str, Any], method: str, appointment: Appointment) -> None:
    status = "CANCELLED" if method == "CANCEL" else "CONFIRMED"
    assert (said[0], str(said[1]["METHOD"]), str(said[1]["VERSION"])) == (method, method, "2.0")
    assert facts(said[1]) == {
        "uid": str(appointment.pk),
        "sequence": appointment.sequence,
        "status": status,
        "start": appointment.starts_at,
        "end": appointment.ends_at,
    }


def test_booked_then_moved_then_called_off_is_one_event(clinic: Clinic) -> None:
    booked = services.book(**clinic.wish(), reason="A rash that nobody should read")
    said = sent()
    reads_as(said[0], "REQUEST", booked)
    moved = services.reschedule(appointment_id=booked.pk, starts_at=clinic.start(60), practitioner_id=clinic.dr_dee.pk, by=clinic.desk.by)
    said += sent()
    reads_as(said[1], "REQUEST", moved)
    services.cancel(appointment_id=booked.pk, reason="pat", by=clinic.pia.by)
    said += sent()
    reads_as(said[2], "CANCEL", Appointment.objects.get(pk=booked.pk))
    assert len(said) == 3
    told = [facts(calendar) for _, calendar in said]
    assert {each["uid"] for each in told} == {str(booked.pk)}
    assert [each["sequence"] for each in told] == [0, 1, 2]
    assert told[1]["start"] == told[0]["start"] + timedelta(hours=1) == told[2]["start"]


def test_nobody_is_named_but_by_the_addresses_that_the_mail_has_anyway(clinic: Clinic) -> None:
    services.book(**clinic.wish(), reason="A rash that nobody should read")
    ((_, calendar),) = sent()
    (event,) = calendar.events
    assert str(event["SUMMARY"]) == "Appointment"
    assert (str(event["ORGANIZER"]), str(event["ATTENDEE"])) == ("mailto:no-reply@localhost", f"mailto:{clinic.pia.email}")
    assert not event["ORGANIZER"].params and "CN" not in event["ATTENDEE"].params
    said = calendar.to_ical().decode()
    assert [word for word in ("Somebody", "Note", "rash", "Quick", "video", "Cho", "P-1", "DESCRIPTION", "LOCATION") if word in said] == []


def test_a_mail_that_was_late_tells_how_it_stands_by_then(clinic: Clinic) -> None:
    booked = services.book(**clinic.wish())
    services.cancel(appointment_id=booked.pk, reason="pat", by=clinic.pia.by)
    assert [method for method, _ in sent()] == ["CANCEL", "CANCEL"]


def test_text_messages_and_other_kinds_carry_none(clinic: Clinic) -> None:
    booked = services.book(**clinic.wish())
    Message.objects.all().delete()
    with transaction.atomic():
        notify(person_id=clinic.pia.id, kind="summary_ready", about_id=booked.pk)
    assert sent() == []


@pytest.mark.parametrize("about", ["nothing", "nobody"])
def test_what_is_no_appointment_or_nobodys_has_no_file(clinic: Clinic, about: str) -> None:
    booked = services.book(**clinic.wish())
    Patient.objects.filter(pk=clinic.pia_record.pk).update(account_id=None)
    wanted: UUID = uuid7() if about == "nothing" else booked.pk
    assert invites.attached(wanted) is None
