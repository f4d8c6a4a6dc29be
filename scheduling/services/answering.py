"""A patient answers a reminder by its link, without signing in."""

from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from scheduling.errors import LinkUnusable
from scheduling.models import AnswerLink, Appointment
from scheduling.services.cancelling import cancel
from scheduling.services.changing import for_change
from scheduling.services.reminding import digest_of
from scheduling.statuses import CancelReason, Status
from telehealth.accounts.access import Role
from telehealth.core import now

SCOPE = "schedule"
"""The part of the patient's rows that whoever holds the link acts with."""


def open_link(token: str, by: Actor) -> AnswerLink:
    """The link of this token while the appointment stands as it was announced; else LinkUnusable, and that is on record."""
    links = AnswerLink.objects.select_related("reminder__appointment__patient")
    found = links.filter(digest=digest_of(token), ends_at__gt=now()).first()
    if found is None or not _stands(found.reminder.appointment, found):
        refuse(by, "answer_link_unusable", kind=AnswerLink._meta.label, pk=found.pk if found else "")
        raise LinkUnusable()
    return found


def holder_of(link: AnswerLink) -> Actor:
    """The patient, by this link and with what it is for."""
    account: UUID | None = link.reminder.appointment.patient.account_id
    return Actor(id=account, role=Role.PATIENT, client=f"answer:{link.pk}", scopes=frozenset({SCOPE}))


@transaction.atomic
def answer(*, token: str, coming: bool, by: Actor) -> Appointment:
    """The patient will come, or calls it off under the same rules as anywhere. A repeated yes changes nothing."""
    link = open_link(token, by)
    holder, pk = holder_of(link), link.reminder.appointment_id
    appointment = for_change(pk, by=holder)
    if not _stands(appointment, link):  # somebody moved it between the look and the lock: a no was not meant for that
        raise LinkUnusable()
    if not coming:
        return cancel(appointment_id=pk, reason=CancelReason.PATIENT, by=holder)
    if appointment.confirmed_at is None:
        appointment.confirmed_at = now()
        appointment.version += 1
        appointment.save(update_fields=["confirmed_at", "version"])
        record(holder, Act.APPOINTMENT_AWAITED, appointment)
    return appointment


def _stands(appointment: Appointment, link: AnswerLink) -> bool:
    return appointment.status == Status.BOOKED and appointment.starts_at == link.ends_at
