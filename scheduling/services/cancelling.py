from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from scheduling.errors import UnderWay
from scheduling.models import Appointment, Occupancy
from scheduling.services.changing import for_change, step
from scheduling.statuses import CancelReason, Status
from telehealth.outbox.services import notify
from telehealth.records.services import end_care


@transaction.atomic
def cancel(*, appointment_id: UUID, reason: str, by: Actor, from_visit: bool = False) -> Appointment:
    """Call it off: the time is free at once, the care relationship ends, the patient is told.

    StepNotAllowed when it is over or cancelled already. Once the patient has arrived only the visit calls it off
    (`from_visit`); anybody else gets UnderWay.
    """
    appointment = for_change(appointment_id, by=by)
    if appointment.status == Status.ARRIVED and not from_visit:
        raise UnderWay()
    appointment.cancelled_reason = CancelReason(reason)
    step(appointment, Status.CANCELLED, "cancelled_reason")
    Occupancy.objects.filter(appointment=appointment, live=True).update(live=False)
    end_care(source="appointment", source_id=appointment.pk, by=by)
    record(by, Act.APPOINTMENT_CANCELLED, appointment, reason=reason)
    if account := appointment.patient.account_id:
        notify(person_id=account, kind="appointment_cancelled", about_id=appointment.pk)
    return appointment
