"""Whether an appointment could be somebody else's at the same time: for when its provider leaves."""

from uuid import UUID

from django.db.models import QuerySet

from scheduling.models import Appointment, Occupancy
from scheduling.selectors import licensure
from scheduling.selectors.filling import full_days
from scheduling.selectors.starts import openings_of
from scheduling.slots import inside
from scheduling.spans import Span, moment, seconds
from scheduling.statuses import HOLDING, Status
from telehealth.core import now
from telehealth.core.errors import Conflict, Invalid
from telehealth.records.models import Practitioner


def to_come_of(practitioner_id: UUID) -> "QuerySet[Appointment]":
    """What stands of this provider's from now on, in order of time."""
    found = Appointment.objects.filter(practitioner_id=practitioner_id, status__in=HOLDING, starts_at__gt=now())
    return found.select_related("visit_type", "patient").order_by("starts_at", "pk")


def stays_because(appointment: Appointment) -> str:
    """Why it cannot be anybody else's; empty when it can."""
    if appointment.group_visit_id:
        return "in_a_group"
    if appointment.status == Status.PENDING:
        return "held"
    return "" if appointment.status == Status.BOOKED else "appointment_under_way"


def not_theirs_because(appointment: Appointment, colleague: Practitioner, planned: list[Span]) -> str:
    """Why it cannot be this colleague's, by the code that booking would say; empty when it can. `planned` is what else they will get.

    Its start need not be on the colleague's own grid, and lead time and horizon do not count: the time was agreed on.
    """
    kind, start = appointment.visit_type, seconds(appointment.starts_at)
    try:
        licensure.check(colleague.pk, appointment.patient_state, licensure.day_of(colleague, appointment.starts_at))
    except (Conflict, Invalid) as no:
        return no.code
    if not inside(*openings_of(colleague.pk, kind, kind.shape.visit(start)), kind.shape, start):
        return "outside_hours"
    if full_days(kind, Practitioner.objects.filter(pk=colleague.pk), (start, start + 1)):
        return "day_full"
    taken = kind.shape.taken(start)
    during = (moment(taken[0]), moment(taken[1]))
    busy = Occupancy.objects.filter(party=colleague.pk, live=True, during__overlap=during).exists()
    return "slot_taken" if busy or any(begin < taken[1] and taken[0] < end for begin, end in planned) else ""
