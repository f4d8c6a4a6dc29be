"""May they? Pure questions on (actor, thing); `visible` has already narrowed whose these are."""

from audit.ledger import Actor
from consults.models import Visit
from prescribing.models import Prescription
from telehealth.accounts.access import Role


def may_prescribe(by: Actor, visit: Visit) -> bool:
    """In a visit, its own provider and nobody else."""
    return by.id is not None and by.role == Role.PROVIDER and visit.practitioner.account_id == by.id


def may_sign(by: Actor, prescription: Prescription) -> bool:
    """Only who wrote it signs it, or gives the draft up."""
    return by.id is not None and by.role == Role.PROVIDER and prescription.prescriber.account_id == by.id
