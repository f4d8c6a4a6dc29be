"""Which fields of what they may see each role is shown: the minimum necessary (45 CFR 164.502(b), 164.514(d)(2)).

A field that is not written here is shown to nobody. `docs/access.md` is rendered from this file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from telehealth.accounts.access import Resource, Role

PATIENT_SIDE = frozenset({Role.PATIENT, Role.PROXY})
CARE_SIDE = frozenset({Role.PROVIDER, Role.NURSE})
CLINICAL = PATIENT_SIDE | CARE_SIDE
DESK = CLINICAL | {Role.FRONT_DESK}
OFFICE = DESK | {Role.BILLER}
WAITLIST = PATIENT_SIDE | {Role.PROVIDER, Role.FRONT_DESK}


@dataclass(frozen=True)
class Group:
    """Fields that the same roles need for the same work."""

    purpose: str
    fields: frozenset[str]
    roles: frozenset[Role]


def group(purpose: str, fields: str, roles: frozenset[Role]) -> Group:
    return Group(purpose, frozenset(fields.split()), roles)


FIELDS: Mapping[Resource, tuple[Group, ...]] = {
    Resource.PATIENT: (
        group("who it is", "id mrn family given birth_date address", OFFICE),
        group("to reach them and to book", "phone email language is_deceased minor has_account", DESK),
        group("to care for them", "gender deceased version changed_at", CLINICAL),
    ),
    Resource.APPOINTMENT: (
        group("the schedule", "id status patient practitioner practitioner_name timezone visit_type modality starts_at ends_at", OFFICE),
        group("to keep the schedule", "checkin_opens_at cancelled_reason cancelled_late held_until overbooked patient_state version", DESK),
        group("what it belongs to", "group_visit series", DESK),
        group("a series, and what of it is left", "rule appointments", DESK),
        group("what it is about", "reason cancelled_note", CLINICAL),
    ),
    Resource.VISIT: (
        group("how far it is", "id appointment patient practitioner waiting status position version", DESK),
        group("when", "checked_in_at admitted_at started_at ended_at", DESK),
        group("to call back", "callback consents_required", DESK),
        group("where the patient is, and with whom", "location others_present", CLINICAL),
    ),
    Resource.WAITLIST: (
        group("who waits for what", "id status patient practitioner visit_type earliest latest parts_of_day timezone", WAITLIST),
        group("to serve them in order", "urgency patient_state created_at offer", WAITLIST),
        group("what they said", "note", PATIENT_SIDE | {Role.PROVIDER}),
    ),
    Resource.WAITING_ROOM: (
        group(
            "who waits for whom",
            "id appointment patient practitioner waiting status checked_in_at starts_at",
            CARE_SIDE | {Role.FRONT_DESK},
        ),
        group("what it is about", "reason", CARE_SIDE),
    ),
    Resource.BILLING: (group("codes and coverage", "id type status date codes coverage notice", frozenset({Role.BILLER})),),
    Resource.CLINICAL_RESOURCE: (group("the chart", "id type status date version changed_at sensitivity notice body", CLINICAL),),
    Resource.NOTE: (
        group("whose note", "id visit author amends status version created_at signed_at intact sensitivity notice", CARE_SIDE),
        group("what it says", "subjective objective assessment plan", CARE_SIDE),
    ),
    Resource.SUMMARY: (group("what the patient takes home", "visit practitioner started_at ended_at notes", CLINICAL),),
    Resource.PRESCRIPTION: (
        group(
            "the order",
            "id visit patient prescriber prescriber_name number medication drug quantity days_supply refills substitution sig note",
            CLINICAL,
        ),
        group("where it went", "pharmacy pharmacy_name status failure unconfirmed created_at signed_at version intact", CLINICAL),
    ),
}

NOTHING: frozenset[str] = frozenset()


@cache
def fields(role: str, resource: Resource) -> frozenset[str]:
    """The names of the fields that this role is shown; an unknown role is shown none."""
    return NOTHING.union(*(each.fields for each in FIELDS.get(resource, ()) if role in each.roles))


def classified(resource: Resource) -> frozenset[str]:
    """Every field that somebody is shown."""
    return NOTHING.union(*(each.fields for each in FIELDS.get(resource, ())))
