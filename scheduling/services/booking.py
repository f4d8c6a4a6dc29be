"""Promising time to a patient and a provider."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record, together
from scheduling.errors import GroupVisitFull, NotPlanned, PatientBusy, ResourceTaken, SlotTaken
from scheduling.models import Appointment, GroupVisit
from scheduling.selectors.group_visits import coming
from scheduling.selectors.needs import Suitable, first_free, suitable
from scheduling.services.expiring import sweep_expired_holds
from scheduling.services.occupying import is_busy, occupy, with_buffers
from scheduling.services.telling import care_for, tell
from scheduling.services.wishes import Overbooking, Wish, appointment_of, check_offered, checked, wish
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

    What else the visit type needs is chosen and taken with it, or ResourceTaken. A kind for several is a place in what is
    planned then, or NotPlanned, GroupVisitFull. StaffOnly, EstablishedOnly, NewOnly: some kinds are not for every patient.

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
    with together():
        return settle(promise(asked), by, is_new=True)


def promise(asked: Wish) -> Appointment:
    """The row and the time of everybody whom it takes, under their locks; nobody is told yet."""
    asked = checked(asked)
    wanted = {} if asked.group else suitable(asked.kind, asked.patient)
    parties = everybody(wanted, asked.patient.pk, asked.practitioner.pk)
    if asked.group:
        lock(asked.group.pk)
    lock(*parties)
    check_offered(asked)
    if asked.group:
        sweep_expired_holds(asked.practitioner.pk, group_visit=asked.group.pk)
        has_place(asked.group.pk)
    return put(asked, wanted)


def put(asked: Wish, wanted: Suitable) -> Appointment:
    """The same for what is checked, locked and swept."""
    appointment = appointment_of(asked)
    appointment.status = Status.PENDING if asked.held_until else Status.BOOKED
    appointment.held_until = asked.held_until
    appointment.save(force_insert=True)
    take(appointment, wanted)
    return appointment


def everybody(wanted: Suitable, *parties: UUID) -> set[UUID]:
    """Whose locks it takes: all who would do for what is needed, so that one of them can be chosen."""
    return {*parties, *(each for some in wanted.values() for each in some)}


def has_place(group_visit_id: UUID) -> None:
    """Under its lock and its provider's."""
    visit = GroupVisit.objects.get(pk=group_visit_id)
    if visit.is_cancelled:
        raise NotPlanned()
    if coming(visit.pk).count() >= visit.capacity:
        raise GroupVisitFull()


def take(appointment: Appointment, wanted: Suitable) -> None:
    """The parties' time, or PatientBusy, SlotTaken, ResourceTaken, in this order. Holds that ran out and stand in the way are swept."""
    starts, ends = appointment.starts_at, appointment.ends_at
    try:
        occupy(appointment, first_free(wanted, starts, ends))
    except (SlotTaken, ResourceTaken) as taken:
        # Whose time it was, and whether it still is, is asked only now: the way that works pays nothing for it.
        if sweep_expired_holds(*everybody(wanted, appointment.patient_id, appointment.practitioner_id)):
            return take(appointment, wanted)
        if is_busy(appointment.patient_id, starts, ends):
            raise PatientBusy() from taken
        if isinstance(taken, ResourceTaken) and not appointment.is_overbooked and _provider_is_busy(appointment):
            raise SlotTaken() from taken
        raise
    return None


def _provider_is_busy(appointment: Appointment) -> bool:
    during = with_buffers(appointment.visit_type, appointment)
    return is_busy(appointment.practitioner_id, during.lower, during.upper)


def settle(appointment: Appointment, by: Actor, *, is_new: bool = False) -> Appointment:
    """What follows once it is booked: the acts, the care relationship, the message."""
    if appointment.is_overbooked:
        record(by, Act.APPOINTMENT_OVERBOOKED, appointment, reason=appointment.overbooked_code)
    record(by, Act.APPOINTMENT_BOOKED, appointment, detail={"practitioner": str(appointment.practitioner_id)})
    care_for(appointment, by, is_new=is_new)
    tell(appointment, "appointment_booked")
    return appointment
