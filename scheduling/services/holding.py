"""Time that is promised for some minutes, and becomes a booking when it is confirmed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import SYSTEM, Act, Actor, record
from scheduling.errors import HoldExpired, HoldOdd, StepNotAllowed, TooManyHolds
from scheduling.models import Appointment, Occupancy
from scheduling.services.booking import promise, settle
from scheduling.services.changing import for_change, step
from scheduling.services.expiring import release
from scheduling.services.wishes import wish
from scheduling.statuses import CancelReason, Status
from telehealth.core import now

AT_ONCE = 3
"""Of one patient, beside what the clinic itself holds for them: nobody keeps a day free by holding all of it."""


@transaction.atomic
def hold(
    *,
    patient_id: UUID,
    practitioner_id: UUID,
    visit_type: str,
    starts_at: datetime,
    until: datetime,
    by: Actor,
    reason: str = "",
    state: str = "",
) -> Appointment:
    """Keep the time for the patient `until` then, at most until the visit's start; refuses what `book` refuses.

    HoldOdd when that is over already, TooManyHolds past AT_ONCE. Nobody sees the record for it, and nobody is told.
    """
    until = min(until, starts_at)
    if until <= now():
        raise HoldOdd()
    asked = wish(
        patient_id=patient_id,
        practitioner_id=practitioner_id,
        visit_type=visit_type,
        starts_at=starts_at,
        by=by,
        reason=reason,
        state=state,
        held_until=until,
    )
    held = promise(asked)
    if by != SYSTEM and _standing(held) > AT_ONCE:
        raise TooManyHolds()
    record(by, Act.APPOINTMENT_HELD, held, detail={"practitioner": str(practitioner_id)})
    return held


def _standing(held: Appointment) -> int:
    """How many holds the patient has, this one among them and not those that the clinic made by itself, under their lock."""
    rows = Occupancy.objects.filter(party=held.patient_id, live=True, held_until__gt=now())
    return rows.exclude(appointment__created_by=None).count()


@transaction.atomic
def confirm(*, appointment_id: UUID, by: Actor) -> Appointment:
    """Held becomes booked: care begins, the patient is told. A repeat changes nothing.

    HoldExpired once the time has run out, whether or not somebody has swept it; StepNotAllowed for what is neither.
    """
    appointment = for_change(appointment_id, by=by)
    if appointment.status == Status.BOOKED:
        return appointment
    if _ran_out(appointment):
        raise HoldExpired()
    step(appointment, Status.BOOKED)
    Occupancy.objects.filter(appointment=appointment, live=True).update(held_until=None)
    record(by, Act.APPOINTMENT_CONFIRMED, appointment)
    return settle(appointment, by)


def _ran_out(appointment: Appointment) -> bool:
    if appointment.status == Status.PENDING:
        return Occupancy.objects.filter(appointment=appointment, held_until__lte=now()).exists()
    return appointment.cancelled_reason == CancelReason.HOLD_EXPIRED


@transaction.atomic
def release_hold(*, appointment_id: UUID, by: Actor) -> Appointment:
    """Held is let go: the time is free at once. A repeat changes nothing; StepNotAllowed for what is or was no hold."""
    appointment = for_change(appointment_id, by=by)
    if appointment.status == Status.CANCELLED and appointment.cancelled_reason in (CancelReason.HOLD_EXPIRED, CancelReason.HOLD_RELEASED):
        return appointment
    if appointment.status != Status.PENDING:
        raise StepNotAllowed(reply={"appointment_status": appointment.status})
    release(appointment, CancelReason.HOLD_RELEASED, by=by)
    return appointment
