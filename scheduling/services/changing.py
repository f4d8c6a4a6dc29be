"""Finding an appointment in order to change it, and the one way to change how it stands.

Locks are taken in one order everywhere: appointments (and group visits) by id, then parties by id, then rows. So whoever
holds the lock of any party of an appointment knows that nobody changes it meanwhile.
"""

from uuid import UUID

from django.db.models import Q

from audit.ledger import SYSTEM, Actor
from scheduling.errors import StepNotAllowed
from scheduling.models import Appointment, Occupancy
from scheduling.statuses import Status, may_step
from telehealth.accounts.access import Action, Resource
from telehealth.core import later, lock, one
from telehealth.records.access import visible


def for_change(pk: UUID, *, by: Actor) -> Appointment:
    """The appointment, if this actor may act on it, with its parties and its row locked."""
    return locked(claimed(pk, by=by))


def claimed(pk: UUID, *, by: Actor) -> UUID:
    """Its id, with its own lock, if this actor may act on it: from now on its parties stay who they are."""
    allowed = Q() if by == SYSTEM else visible(by, Action.ACT, Resource.APPOINTMENT)
    lock(one(Appointment.objects.filter(allowed).only("pk"), pk).pk)
    return pk


def locked(pk: UUID, *others: UUID) -> Appointment:
    """The row of what is claimed already, with the locks of its parties and of others."""
    lock(*parties_of(pk), *others)
    rows = Appointment.objects.select_for_update(of=("self",)).select_related("visit_type", "patient", "practitioner")
    return rows.get(pk=pk)


def parties_of(*appointments: UUID) -> set[UUID]:
    """Patients and providers, overbooked or in a group too, and whatever else the appointments take."""
    named = Appointment.objects.filter(pk__in=appointments).values_list("patient_id", "practitioner_id")
    taken = Occupancy.objects.filter(appointment__in=appointments, live=True).values_list("party", flat=True)
    return {each for pair in named for each in pair} | set(taken)


def step(appointment: Appointment, status: Status, *also: str) -> None:
    """Let it stand so, or StepNotAllowed. `also` names other fields that changed."""
    if not may_step(appointment.status, status):
        raise StepNotAllowed(reply={"appointment_status": appointment.status})
    appointment.status = status
    appointment.version += 1
    appointment.save(update_fields=["status", "version", *also])


def freed() -> None:
    """Somebody's time is free again: whoever waits for it may be offered it, once this is committed."""
    later("scheduling.tasks.offer_freed")
