"""Promising time to a patient and a provider."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from scheduling.errors import PatientBusy, SlotTaken
from scheduling.models import Appointment
from scheduling.services.expiring import sweep_expired_holds
from scheduling.services.occupying import is_busy, occupy
from scheduling.services.telling import care_for, tell
from scheduling.services.wishes import Overbooking, Wish, appointment_of, checked, wish
from scheduling.statuses import Status
from telehealth.core import lock


@transaction.atomic
def book(
    *,
    patient_id: UUID,
    practitioner_id: UUID,
    visit_type: str,
    starts_at: datetime,
    by: Actor,
    reason: str = "",
    overbooking: Overbooking | None = None,
    state: str = "",
) -> Appointment:
    """Promise the time to both parties, or raise SlotTaken or PatientBusy. The lock orders us; the constraint decides.

    Refuses starts that `selectors.slots` would not offer (TooSoon, BeyondHorizon, OutsideHours, StartMisaligned) and
    patients who have died. NotLicensed unless the provider may practise in `state` then, else in that of the patient's
    address (StateUnknown). Overbooking asks nothing of the provider's time; it is a staff act and names who and why.
    Begins the care relationship and tells the patient.
    """
    asked = wish(
        patient_id=patient_id,
        practitioner_id=practitioner_id,
        visit_type=visit_type,
        starts_at=starts_at,
        by=by,
        reason=reason,
        overbooking=overbooking,
        state=state,
    )
    return settle(promise(asked), by)


def promise(asked: Wish) -> Appointment:
    """The row and the parties' time, under their locks; nobody is told yet."""
    asked = checked(asked)
    lock(asked.patient.pk, asked.practitioner.pk)
    sweep_expired_holds(asked.patient.pk, asked.practitioner.pk)
    appointment = appointment_of(asked)
    appointment.status = Status.PENDING if asked.held_until else Status.BOOKED
    appointment.held_until = asked.held_until
    appointment.save(force_insert=True)
    take(appointment)
    return appointment


def take(appointment: Appointment) -> None:
    """The parties' time, or PatientBusy, or SlotTaken."""
    try:
        occupy(appointment)
    except SlotTaken as taken:
        # Whose time it was is asked only now: the way that works pays nothing for it.
        if is_busy(appointment.patient_id, appointment.starts_at, appointment.ends_at):
            raise PatientBusy() from taken
        raise


def settle(appointment: Appointment, by: Actor) -> Appointment:
    """What follows once it is booked: the acts, the care relationship, the message."""
    if appointment.is_overbooked:
        record(by, Act.APPOINTMENT_OVERBOOKED, appointment, reason=appointment.overbooked_code)
    record(by, Act.APPOINTMENT_BOOKED, appointment, detail={"practitioner": str(appointment.practitioner_id)})
    care_for(appointment, by)
    tell(appointment, "appointment_booked")
    return appointment
