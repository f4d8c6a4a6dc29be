"""May they? Pure questions on (actor, thing); `visible` answers whose records, these answer whether at all."""

from typing import Any
from uuid import UUID

from audit.ledger import SYSTEM, Actor
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.core import now
from telehealth.records.access.delegation import standing
from telehealth.records.models import EmergencyAccess, Patient, Practitioner, ProxyGrant, ProxyRelationship


def may_import(by: Actor, _: Any) -> bool:
    """Whoever the access table lets create an import."""
    return bool(granted(by, Action.CREATE, Resource.IMPORT))


def may_search(by: Actor, _: Any) -> bool:
    """Whoever the access table lets search patients, in some scope."""
    return bool(granted(by, Action.SEARCH, Resource.PATIENT))


def may_declare_emergency(by: Actor, _: Any) -> bool:
    """Providers and nurses, signed in to the portal: an app never goes beyond what it was given."""
    return not by.client and bool(granted(by, Action.CREATE, Resource.EMERGENCY_ACCESS))


def may_end_emergency(by: Actor, access: EmergencyAccess) -> bool:
    """Who declared it."""
    return access.account == by.id


def is_oneself(by: Actor, patient: Patient) -> bool:
    """Whether it is their own record: some things nobody else decides."""
    return by.id is not None and patient.account_id == by.id


def may_hold(by: Actor, _: Any) -> bool:
    """Whoever the access table lets place legal holds."""
    return bool(granted(by, Action.CREATE, Resource.LEGAL_HOLD))


def may_lift(by: Actor, _: Any) -> bool:
    """Whoever it lets lift them."""
    return bool(granted(by, Action.ACT, Resource.LEGAL_HOLD))


def may_ask_for_destruction(by: Actor, _: Any) -> bool:
    """Whoever it lets ask that a record be destroyed."""
    return bool(granted(by, Action.CREATE, Resource.DESTRUCTION))


def may_approve_destruction(by: Actor, asked: Any) -> bool:
    """Somebody whom it lets approve, and who is not the one who asked."""
    return by.id is not None and bool(granted(by, Action.UPDATE, Resource.DESTRUCTION)) and by.id != asked.requested_by


def may_withdraw_destruction(by: Actor, _: Any) -> bool:
    """Whoever may ask or approve may call it off."""
    return bool(granted(by, Action.ACT, Resource.DESTRUCTION))


def may_license(by: Actor, _: Any) -> bool:
    """Whoever the access table lets change licences; and the demonstration."""
    return by == SYSTEM or bool(granted(by, Action.UPDATE, Resource.LICENSE))


def may_arrange_panel(by: Actor, practitioner: Practitioner) -> bool:
    """Who arranges everybody's panel, and practitioners their own."""
    held = granted(by, Action.ACT, Resource.PANEL)
    return Scope.ALL in held or (Scope.OWN in held and by.id is not None and practitioner.account_id == by.id)


def may_name_guardian(by: Actor, _: Any) -> bool:
    """The desk, which has seen the papers: neither the patient nor a guardian makes one."""
    return Scope.DESK in granted(by, Action.CREATE, Resource.PROXY_GRANT)


def may_delegate(by: Actor, patient: Patient) -> bool:
    """The patient, or a minor's guardian; whom they chose does not choose others."""
    if is_oneself(by, patient):
        return True
    return by.id is not None and is_guardian(by.id, patient, minors=by.guards_minors)


def is_guardian(account: UUID, patient: Patient, *, minors: bool = True) -> bool:
    """Whether this account stands in a parent's or a guardian's place now; of `minors` too, unless its mark is known to be off."""
    return standing(account, now(), minors=minors).filter(patient=patient, relationship=ProxyRelationship.GUARDIAN).exists()


def may_end_grant(by: Actor, grant: ProxyGrant) -> bool:
    """Who holds it, the patient, or who could have given it."""
    return grant.proxy == by.id or may_delegate(by, grant.patient)
