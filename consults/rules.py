"""May they? Pure questions on (actor, thing); `visible` has already narrowed whose visits these are."""

from uuid import UUID

from audit.ledger import Actor
from consults.models import Note, Participant, Visit
from telehealth.accounts.access import Role
from telehealth.core.errors import Refused

PATIENT_SIDE = (Role.PATIENT, Role.PROXY)


def account_of(by: Actor) -> UUID:
    """Whose account acts; Refused for the system and for strangers, who have no place in a visit."""
    if by.id is None:
        raise Refused
    return by.id


def may_conduct(by: Actor, visit: Visit) -> bool:
    """Admit, hold, remove, complete, write: the visit's own provider and nobody else."""
    return by.id is not None and by.role == Role.PROVIDER and visit.practitioner.account_id == by.id


def may_take_part(by: Actor, visit: Visit) -> bool:
    """The visit's provider, the patient, or who acts for the patient."""
    return may_conduct(by, visit) or (by.id is not None and by.role in PATIENT_SIDE)


def may_check_in(by: Actor, visit: Visit) -> bool:
    """Identity, place and consent come from the patient's side, or from the nurse or the provider who asks them."""
    return may_take_part(by, visit) or (by.id is not None and by.role == Role.NURSE)


def may_write(by: Actor, note: Note) -> bool:
    """A draft is its author's alone."""
    return by.id is not None and by.role == Role.PROVIDER and note.author_id == by.id


def role_in(by: Actor, visit: Visit) -> Participant.Role:
    """What somebody who may take part is in this visit."""
    if may_conduct(by, visit):
        return Participant.Role.PROVIDER
    return Participant.Role.PATIENT if visit.patient.account_id == by.id else Participant.Role.PROXY
