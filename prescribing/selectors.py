"""Reads of prescriptions, narrowed to what the actor may see; the formulary and the pharmacies are no health data."""

from uuid import UUID

from django.db.models import Q, QuerySet

from audit.ledger import Actor
from consults.models import Visit
from consults.states import ENDED
from prescribing.machine import Status
from prescribing.models import Medication, Pharmacy, Prescription
from telehealth.accounts.access import Action, Resource, Role
from telehealth.core import one
from telehealth.records.access import visible
from telehealth.vault.models import SealedQuerySet

UNSIGNED = (Status.DRAFT, Status.CANCELLED)
PATIENT_SIDE = (Role.PATIENT, Role.PROXY)


def prescriptions_for(by: Actor, action: Action = Action.READ) -> SealedQuerySet[Prescription]:
    """The prescriptions of the records that this actor may see. Patients see what was signed; drafts are their writer's."""
    rows = Prescription.objects.filter(visible(by, action, Resource.PRESCRIPTION))
    rows = rows.select_related("patient", "medication", "pharmacy", "prescriber", "visit")
    if by.role in PATIENT_SIDE:
        return rows.exclude(status__in=UNSIGNED)
    return rows.filter(~Q(status__in=UNSIGNED) | Q(prescriber__account_id=by.id))


def prescription_for(by: Actor, pk: UUID, action: Action = Action.READ) -> Prescription:
    """One prescription, or Missing."""
    return one(prescriptions_for(by, action).with_keys(), pk)


def prescriptions_of(by: Actor, visit_id: UUID) -> QuerySet[Prescription]:
    """One visit's prescriptions, newest first; Missing when the visit is not this actor's to see."""
    one(Visit.objects.filter(visible(by, Action.READ, Resource.PRESCRIPTION)).only("pk"), visit_id)
    return prescriptions_for(by).filter(visit_id=visit_id).order_by("-id")


def is_over(by: Actor, visit_id: UUID) -> bool:
    """Whether nothing more is written in this visit."""
    return Visit.objects.filter(visible(by, Action.READ, Resource.PRESCRIPTION), pk=visit_id, status__in=ENDED).exists()


def medications(query: str = "") -> QuerySet[Medication]:
    """The formulary; every word of the query begins or is part of a name, strength or form."""
    rows = Medication.objects.filter(is_active=True)
    for word in query.split()[:5]:
        rows = rows.filter(Q(name__icontains=word) | Q(strength__icontains=word) | Q(form__icontains=word))
    return rows


def pharmacies(query: str = "") -> QuerySet[Pharmacy]:
    """Where prescriptions can go, by a part of the name or place."""
    rows = Pharmacy.objects.filter(is_active=True)
    for word in query.split()[:5]:
        rows = rows.filter(Q(name__icontains=word) | Q(city__icontains=word) | Q(postal_code__startswith=word))
    return rows


def left_open(*, account_id: UUID, by: Actor) -> dict[str, int]:
    """For `LEAVERS`: drafts of this prescriber, and what failed on its way. Opens nothing."""
    mine = Prescription.objects.filter(prescriber__account_id=account_id, status__in=(Status.DRAFT, Status.ERROR))
    return {"open_prescriptions": mine.count()}
