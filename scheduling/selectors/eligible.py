"""For whom a kind of visit is, where patients book themselves. Staff book any kind for anybody."""

from uuid import UUID

from audit.ledger import Actor
from scheduling import rules
from scheduling.errors import EstablishedOnly, NewOnly, StaffOnly
from scheduling.models import Appointment, VisitType, WhoMayBook
from scheduling.statuses import Status
from telehealth.core.errors import Conflict


def turned_away(by: Actor, kind: VisitType, patient_id: UUID) -> type[Conflict] | None:
    """Why somebody of the patient's side may not book this kind, if so."""
    if kind.who_may_book == WhoMayBook.ANYONE or not rules.is_of_the_patient(by):
        return None
    if kind.who_may_book == WhoMayBook.STAFF:
        return StaffOnly
    if _was_seen(patient_id) is (kind.who_may_book == WhoMayBook.ESTABLISHED):
        return None
    return EstablishedOnly if kind.who_may_book == WhoMayBook.ESTABLISHED else NewOnly


def _was_seen(patient_id: UUID) -> bool:
    """Whether a visit with this clinic took place, whoever held it."""
    return Appointment.objects.filter(patient_id=patient_id, status=Status.FULFILLED).exists()
