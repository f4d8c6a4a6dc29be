"""May they? Pure questions on (actor, thing); `visible` answers whose appointments, these answer whether at all."""

from typing import Any

from audit.ledger import SYSTEM, Actor
from scheduling.models import Appointment
from telehealth.accounts.access import Action, Resource, Role, granted
from telehealth.records.models import Practitioner

OVERBOOKERS = frozenset({Role.PROVIDER, Role.FRONT_DESK})
CONCLUDERS = frozenset({Role.PROVIDER, Role.NURSE, Role.FRONT_DESK})

PATIENT_SIDE = frozenset({Role.PATIENT, Role.PROXY})


def is_of_the_patient(by: Actor) -> bool:
    """Patients and who acts for them: what the clinic asks of them, its staff may do without."""
    return by.role in PATIENT_SIDE


def may_overbook(by: Actor, _: Any) -> bool:
    """The provider and the front desk, each under their own name."""
    return by.id is not None and by.role in OVERBOOKERS


def may_conclude(by: Actor, _: Appointment) -> bool:
    """Staff say how it ended, and the clock does for those who did not come."""
    return by.role in CONCLUDERS or by.role == SYSTEM.role


def may_define_visit_types(by: Actor, _: Any) -> bool:
    """Whoever the access table lets change visit types; and the demonstration, which is no person."""
    return by == SYSTEM or bool(granted(by, Action.UPDATE, Resource.VISIT_TYPE))


def may_set_hours(by: Actor, _: Any) -> bool:
    """Whoever the access table lets change availability; and the demonstration."""
    return by == SYSTEM or bool(granted(by, Action.UPDATE, Resource.AVAILABILITY))


def may_publish_calendar(by: Actor, _: Any) -> bool:
    """Whom the table lets make a secret address of a calendar: providers, of their own."""
    return bool(granted(by, Action.ACT, Resource.CALENDAR))


def may_read_calendars(by: Actor, _: Any) -> bool:
    """Whom the table lets name a calendar whose busy times are read: providers, for themselves."""
    return bool(granted(by, Action.CREATE, Resource.CALENDAR))


def may_import_busy(by: Actor, practitioner: Practitioner | None) -> bool:
    """The clock, whoever may set hours, and the provider whose calendar it is."""
    own = practitioner is not None and by.id is not None and practitioner.account_id == by.id
    return own or by.role == SYSTEM.role or may_set_hours(by, None)


def may_plan_group_visits(by: Actor, _: Any) -> bool:
    return bool(granted(by, Action.CREATE, Resource.GROUP_VISIT))


def may_cancel_group_visits(by: Actor, _: Any) -> bool:
    return bool(granted(by, Action.ACT, Resource.GROUP_VISIT))


def may_define_resources(by: Actor, _: Any) -> bool:
    """Whoever the access table lets; and the demonstration."""
    return by == SYSTEM or bool(granted(by, Action.CREATE, Resource.BOOKABLE_RESOURCE))


def may_change_resources(by: Actor, _: Any) -> bool:
    return by == SYSTEM or bool(granted(by, Action.UPDATE, Resource.BOOKABLE_RESOURCE))


def may_reassign(by: Actor, _: Any) -> bool:
    """Whoever the access table lets; and an operator at the command line."""
    return by == SYSTEM or bool(granted(by, Action.CREATE, Resource.REASSIGNMENT))
