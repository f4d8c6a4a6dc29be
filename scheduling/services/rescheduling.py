"""Moving an appointment to another time or another provider: the old time is given up only for the new one."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from scheduling.errors import InAGroup, StepNotAllowed, UnderWay
from scheduling.models import Appointment, Occupancy
from scheduling.selectors.needs import Suitable, suitable
from scheduling.services.booking import everybody, take
from scheduling.services.cancelling import is_late
from scheduling.services.changing import claimed, freed, locked
from scheduling.services.telling import care_for, tell
from scheduling.services.wishes import Wish, check_offered, checked, provider
from scheduling.statuses import Status
from telehealth.records.models import Practitioner
from telehealth.records.services import end_care
from telehealth.rest.errors import VersionChanged


@transaction.atomic
def reschedule(
    *,
    appointment_id: UUID,
    starts_at: datetime,
    by: Actor,
    practitioner_id: UUID | None = None,
    state: str = "",
    version: int | None = None,
) -> Appointment:
    """The same appointment at another time, with another provider if named; refuses what `book` refuses, and then nothing changed.

    StepNotAllowed for what does not stand booked, UnderWay once the patient has arrived, VersionChanged when it is not
    `version` any more. From the patient's side it may be TooLateToCancel: a late move is a late cancellation.
    """
    to = provider(practitioner_id) if practitioner_id else None
    wanted = _wanted(claimed(appointment_id, by=by))
    appointment = locked(appointment_id, *everybody(wanted, *([to.pk] if to else [])))
    if version is not None and appointment.version != version:
        raise VersionChanged()
    if appointment.status == Status.ARRIVED:
        raise UnderWay()
    if appointment.status != Status.BOOKED:
        raise StepNotAllowed(reply={"appointment_status": appointment.status})
    if appointment.group_visit_id is not None:
        raise InAGroup()
    is_late(appointment, by)
    move(appointment, starts_at, to or appointment.practitioner, wanted, by=by, state=state)
    return appointment


def _wanted(appointment_id: UUID) -> Suitable:
    found = Appointment.objects.select_related("visit_type", "patient").get(pk=appointment_id)
    return suitable(found.visit_type, found.patient)


def move(appointment: Appointment, starts_at: datetime, to: Practitioner, wanted: Suitable, *, by: Actor, state: str = "") -> None:
    """The same for what is locked already, with its new provider and all who would do for what it needs, by somebody who may."""
    former = appointment.practitioner_id
    there = state or appointment.patient_state
    asked = checked(Wish(appointment.patient, to, appointment.visit_type, starts_at, by, state=there, besides=appointment.pk))
    check_offered(asked)
    Occupancy.objects.filter(appointment=appointment, live=True).update(live=False)
    _put(appointment, asked)
    take(appointment, wanted)
    record(by, Act.APPOINTMENT_RESCHEDULED, appointment, detail={"practitioner": str(to.pk), "from": str(former)})
    if former != to.pk:
        end_care(source="appointment", source_id=appointment.pk, by=by)
    care_for(appointment, by)
    tell(appointment, "appointment_changed")
    freed()


def _put(appointment: Appointment, asked: Wish) -> None:
    """What was said of the old time counts no more: that it was overbooked, that the patient said they will come."""
    appointment.practitioner, appointment.patient_state = asked.practitioner, asked.state
    appointment.starts_at, appointment.ends_at = asked.starts_at, asked.ends_at
    appointment.overbooked_by, appointment.overbooked_code, appointment.overbooked_reason = None, "", None
    appointment.confirmed_at = None
    appointment.version += 1
    appointment.sequence += 1
    names = ["practitioner", "patient_state", "starts_at", "ends_at", "confirmed_at", "version", "sequence"]
    appointment.save(update_fields=[*names, "overbooked_by", "overbooked_code", "overbooked_reason"])
