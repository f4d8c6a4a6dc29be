"""How an appointment comes to stand: consults decides when, these write it."""

from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.models import Appointment
from scheduling.services.changing import for_change, freed, step
from scheduling.services.occupying import release
from scheduling.services.telling import tell
from scheduling.statuses import Status
from telehealth.core import now, permit


@transaction.atomic
def arrive(*, appointment_id: UUID, by: Actor) -> Appointment:
    """The patient has checked in. A repeat changes nothing."""
    appointment = for_change(appointment_id, by=by)
    if appointment.status == Status.ARRIVED:
        return appointment
    step(appointment, Status.ARRIVED)
    record(by, Act.APPOINTMENT_ARRIVED, appointment)
    return appointment


@transaction.atomic
def fulfil(*, appointment_id: UUID, by: Actor) -> Appointment:
    """The visit took place. What is left of its time is free for others."""
    appointment = for_change(appointment_id, by=by)
    permit(by, rules.may_conclude, appointment)
    step(appointment, Status.FULFILLED)
    release(appointment, now())
    freed()
    record(by, Act.APPOINTMENT_FULFILLED, appointment)
    return appointment


@transaction.atomic
def mark_no_show(*, appointment_id: UUID, by: Actor) -> Appointment:
    """The patient did not come, who is told so and no more. What is left of its time is free for others."""
    appointment = for_change(appointment_id, by=by)
    permit(by, rules.may_conclude, appointment)
    step(appointment, Status.NO_SHOW)
    release(appointment, now())
    freed()
    record(by, Act.APPOINTMENT_NO_SHOW, appointment)
    tell(appointment, "appointment_missed")
    return appointment
