"""Finding an appointment in order to change it, and the one way to change how it stands."""

from uuid import UUID

from django.db.models import Q

from audit.ledger import SYSTEM, Actor
from scheduling.errors import StepNotAllowed
from scheduling.models import Appointment
from scheduling.statuses import Status, may_step
from telehealth.accounts.access import Action, Resource
from telehealth.core import lock, one
from telehealth.records.access import visible


def for_change(pk: UUID, *, by: Actor) -> Appointment:
    """The appointment, if this actor may act on it, with its parties and its row locked, in the order in which booking locks."""
    allowed = Q() if by == SYSTEM else visible(by, Action.ACT, Resource.APPOINTMENT)
    found = one(Appointment.objects.filter(allowed).only("pk", "patient_id", "practitioner_id"), pk)
    lock(found.patient_id, found.practitioner_id)
    rows = Appointment.objects.select_for_update(of=("self",)).select_related("visit_type", "patient", "practitioner")
    return rows.get(pk=pk)


def step(appointment: Appointment, status: Status, *also: str) -> None:
    """Let it stand so, or StepNotAllowed. `also` names other fields that changed."""
    if not may_step(appointment.status, status):
        raise StepNotAllowed(reply={"appointment_status": appointment.status})
    appointment.status = status
    appointment.version += 1
    appointment.save(update_fields=["status", "version", *also])
