"""Reminders: made ahead of their time, in batches that each commit; whoever dies in between leaves the rest to the next run."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from audit.ledger import Act, Actor, record
from scheduling.models import AnswerLink, Appointment, Reminder
from scheduling.statuses import Status
from telehealth.core import now
from telehealth.outbox.quiet import due
from telehealth.outbox.selectors import contacts_of
from telehealth.outbox.services import notify

AHEAD = timedelta(days=1)
"""Made so long before they are due: quiet hours move them by less."""
BATCH = 100
TOKEN_BYTES = 16


def make_reminders(*, by: Actor, size: int = BATCH) -> int:
    """Make every reminder whose time comes within a day and that is not made yet; how many. Repeats make none twice."""
    AnswerLink.objects.filter(ends_at__lt=now()).delete()
    made = 0
    for minutes in settings.APPOINTMENT_REMINDERS:
        count = size
        while count:
            with transaction.atomic():
                count = _make_some(minutes, size, by)
            made += count
    return made


def _make_some(minutes: int, size: int, by: Actor) -> int:
    rows = list(_lacking(minutes).select_for_update(of=("self",), skip_locked=True, no_key=True).order_by("starts_at", "pk")[:size])
    if not rows:
        return 0
    contacts, current = contacts_of([_person(row) for row in rows]), now()
    for row in rows:
        wanted = _wanted(row, minutes, current)
        at = due(wanted, row.starts_at, contacts[_person(row)].quiet, current) if wanted else None
        reminder = Reminder.objects.create(appointment=row, minutes_before=minutes, for_start=row.starts_at, due_at=at)
        if at:
            notify(person_id=_person(row), kind="appointment_reminder", about_id=reminder.pk, due_at=at, key=reminder.key)
    record(by, Act.REMINDERS_MADE, detail={"count": len(rows), "minutes": minutes})
    return len(rows)


def _lacking(minutes: int) -> "QuerySet[Appointment]":
    """Appointments of people with an account that are to be reminded of so long before, soon, and are not yet."""
    made = Reminder.objects.filter(appointment=OuterRef("pk"), minutes_before=minutes, for_start=OuterRef("starts_at"))
    soon = now() + AHEAD + timedelta(minutes=minutes)
    standing = Appointment.objects.filter(status=Status.BOOKED, starts_at__gt=now(), starts_at__lte=soon, patient__account_id__isnull=False)
    return standing.filter(~Exists(made)).select_related("patient")


def _person(appointment: Appointment) -> UUID:
    found: UUID = appointment.patient.account_id  # type: ignore[assignment]  # `_lacking` leaves out who has none
    return found


def _wanted(appointment: Appointment, minutes: int, current: datetime) -> datetime | None:
    """When it should be said by the settings alone; None when that was before the booking, or the next one is due already."""
    at = appointment.starts_at - timedelta(minutes=minutes)
    nearer = [each for each in settings.APPOINTMENT_REMINDERS if each < minutes]
    overtaken = any(appointment.starts_at - timedelta(minutes=each) <= current for each in nearer)
    return None if at < appointment.created_at or overtaken else at


def make_answer_link(reminder: Reminder) -> str:
    """A new token for this reminder: each message that leaves carries one of its own, for we keep none."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    AnswerLink.objects.create(digest=digest_of(token), reminder=reminder, ends_at=reminder.for_start)
    return token


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()
