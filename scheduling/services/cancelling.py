"""Calling off what was agreed on, and how late a patient may do so."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.errors import TooLateToCancel, UnderWay
from scheduling.models import Appointment, LateCancel, Occupancy
from scheduling.services.changing import for_change, freed, step
from scheduling.services.expiring import release
from scheduling.services.telling import tell
from scheduling.statuses import CancelReason, Status
from telehealth.core import now
from telehealth.records.services import end_care


@transaction.atomic
def cancel(*, appointment_id: UUID, reason: str, by: Actor, note: str = "", from_visit: bool = False) -> Appointment:
    """Call it off: the time is free at once, the care relationship ends, the patient is told. A hold is let go.

    StepNotAllowed when it is over or cancelled already. Once the patient has arrived only the visit calls it off
    (`from_visit`); anybody else gets UnderWay. From the patient's side it may be TooLateToCancel. The note is kept sealed.
    """
    appointment = for_change(appointment_id, by=by)
    if appointment.status == Status.ARRIVED and not from_visit:
        raise UnderWay()
    if appointment.status == Status.PENDING:
        release(appointment, CancelReason(reason), by=by)
        return appointment
    call_off(appointment, CancelReason(reason), by=by, note=note)
    tell(appointment, "appointment_cancelled")
    return appointment


def call_off(appointment: Appointment, reason: CancelReason, *, by: Actor, note: str = "") -> None:
    """The same for what is locked already; nobody is told yet."""
    appointment.cancelled_late = is_late(appointment, by)
    appointment.cancelled_reason, appointment.cancelled_note = reason, note or None
    appointment.sequence += 1
    step(appointment, Status.CANCELLED, "cancelled_reason", "cancelled_late", "cancelled_note", "sequence")
    Occupancy.objects.filter(appointment=appointment, live=True).update(live=False)
    end_care(source="appointment", source_id=appointment.pk, by=by)
    record(by, Act.APPOINTMENT_CANCELLED, appointment, reason=reason)
    freed()


def is_late(appointment: Appointment, by: Actor) -> bool:
    """Whether this is the patient's side giving less notice than the visit type asks; TooLateToCancel where that is refused.

    Asked of what stands booked only: an end, or a wrong state, is told first.
    """
    kind = appointment.visit_type
    late = rules.is_of_the_patient(by) and now() > appointment.starts_at - timedelta(minutes=kind.cancel_notice_minutes)
    if late and kind.late_cancel == LateCancel.REFUSE and appointment.status == Status.BOOKED:
        raise TooLateToCancel()
    return late
