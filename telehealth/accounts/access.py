"""Who may do what: role x resource x action -> scopes. `TABLE` is the whole truth; every face and every query asks it.

A cell that is not written is a no. `docs/access.md` is rendered from this file.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from audit.ledger import Actor, refuse
from telehealth.core.errors import Refused


class Role(StrEnum):
    PATIENT = "patient"
    PROXY = "proxy"
    PROVIDER = "provider"
    NURSE = "nurse"
    FRONT_DESK = "front_desk"
    BILLER = "biller"
    PRIVACY_OFFICER = "privacy_officer"
    ADMINISTRATOR = "administrator"


class Action(StrEnum):
    CREATE = "create"
    READ = "read"
    SEARCH = "search"
    UPDATE = "update"
    DELETE = "delete"
    ACT = "act"  # what the resource's comment below names: cancel, check in, admit, ...
    SIGN = "sign"
    EXPORT = "export"


class Scope(StrEnum):
    OWN = "own"  # one's own record, account, sessions
    DELEGATED = "delegated"  # the records of people who gave this person access, or whose guardian this person is
    CARE = "care"  # patients with an active care relationship (a nurse's: with any practitioner of the clinic)
    EMERGENCY = "emergency"  # one record, for an hour, after a declared and reviewed emergency
    DESK = "desk"  # any patient of the clinic, for contact data and the schedule; never the chart
    ALL = "all"  # not narrowed: things that belong to no patient, and the privacy officer's view of who did what


class Resource(StrEnum):
    ACCESS_LOG = "access_log"  # who opened one patient's record
    ACCOUNT = "account"  # the account of the person who asks
    APP = "app"  # what people may let act for them (OAuth clients)
    APPOINTMENT = "appointment"  # act: cancel, reschedule
    AUDIT_ENTRY = "audit_entry"  # the ledger itself; export: proofs and excerpts
    AVAILABILITY = "availability"
    BILLING = "billing"  # codes of what was found and done, and coverage: no text of either
    BOOKABLE_RESOURCE = "bookable_resource"  # interpreters and rooms
    CALENDAR = "calendar"  # a provider's feed, and the calendars whose busy times are read; act: make a new secret address
    CARE_RELATIONSHIP = "care_relationship"
    CLINICAL_RESOURCE = "clinical_resource"  # everything in the chart that came by import or was written in a visit
    CONSENT = "consent"  # to sensitive categories; act: withdraw
    CONTACT_PREFERENCE = "contact_preference"  # by which way, in which language and when a person is told; act: consent to it, revoke it
    DISCLOSURE = "disclosure"  # what has left, to whom and why; create: what a person disclosed by hand
    EMERGENCY_ACCESS = "emergency_access"  # create: locate one patient, declare an emergency; act: end it
    FINDING = "finding"  # what the detectors found; act: close with a verdict
    DESTRUCTION = "destruction"  # of a whole record; create: ask, update: approve what somebody else asked, act: call off
    GROUP_VISIT = "group_visit"  # one provider, several patients; no patient is named; act: call off
    IMPORT = "import"  # a FHIR Bundle of one patient
    INCIDENT = "incident"  # act: survey, assess, note a notice; export: who is affected
    INVITATION = "invitation"  # of a patient or guardian to an account (account recovery too)
    LEGAL_HOLD = "legal_hold"  # keeps a record from being destroyed; act: lift
    LICENSE = "license"  # to practise in a state, and the exceptions of the law
    LOCATION = "location"
    MEDICATION = "medication"  # the formulary, not a patient's medication
    NOTE = "note"  # create: first draft or addendum
    ORGANIZATION = "organization"
    OUTBOX = "outbox"  # what waits to leave, ids only; act: send again, park
    PANEL = "panel"  # whom a practitioner cares for, as a whole; act: arrange cover, hand over
    PATIENT = "patient"  # name, contact data, identifiers
    PHARMACY = "pharmacy"
    PRACTITIONER = "practitioner"
    PRESCRIPTION = "prescription"  # act: cancel
    PROXY_GRANT = "proxy_grant"
    REASSIGNMENT = "reassignment"  # a provider leaves: their appointments to come go to colleagues
    ROLE_GRANT = "role_grant"  # and resets of staff; create: ask, update: approve what somebody else asked; act: withdraw, confirm, end
    SESSION = "session"  # act: give a fresh second factor, sign out
    SLOT = "slot"
    STAFF_ACCOUNT = "staff_account"  # act: invite, disable, reset
    STAFF_RECORD = "staff_record"  # that one of the staff is this patient too
    SUMMARY = "summary"  # what the patient takes home from a visit
    VISIT = "visit"  # create: start checking in; act: check in, take a seat (ticket, socket), leave
    VISIT_TYPE = "visit_type"
    WAITING_ROOM = "waiting_room"  # the queue; act: admit, hold, remove, complete
    WAITLIST = "waitlist"  # who wants an earlier time; act: withdraw, accept or decline an offer


Cell = frozenset[Scope]
Row = Mapping[Action, Cell]

CREATE, READ, SEARCH, UPDATE, DELETE = Action.CREATE, Action.READ, Action.SEARCH, Action.UPDATE, Action.DELETE
ACT, SIGN, EXPORT = Action.ACT, Action.SIGN, Action.EXPORT
LOOK = (READ, SEARCH)

OWN = frozenset({Scope.OWN})
DELEGATED = frozenset({Scope.DELEGATED})
MINE = OWN | DELEGATED
CARE = frozenset({Scope.CARE})
CHART = CARE | frozenset({Scope.EMERGENCY})
DESK = frozenset({Scope.DESK})
ALL = frozenset({Scope.ALL})


def may(scopes: Cell, *actions: Action) -> Row:
    return dict.fromkeys(actions, scopes)


# What every signed-in person has: themselves, and the clinic's public face.
EVERYONE: Mapping[Resource, Row] = {
    Resource.ACCOUNT: may(OWN, READ, UPDATE),
    Resource.CONTACT_PREFERENCE: may(OWN, *LOOK, UPDATE, ACT),
    Resource.GROUP_VISIT: may(ALL, *LOOK),
    Resource.LICENSE: may(ALL, *LOOK),
    Resource.SESSION: may(OWN, *LOOK, ACT),
    Resource.LOCATION: may(ALL, *LOOK),
    Resource.ORGANIZATION: may(ALL, *LOOK),
    Resource.PHARMACY: may(ALL, *LOOK),
    Resource.PRACTITIONER: may(ALL, *LOOK),
    Resource.SLOT: may(ALL, *LOOK),
    Resource.VISIT_TYPE: may(ALL, *LOOK),
}


def people(scopes: Cell) -> Mapping[Resource, Row]:
    """What patients do with the records in `scopes`: a proxy does the same, but never with a record of their own."""
    return {
        **EVERYONE,
        Resource.PATIENT: may(scopes, *LOOK),
        Resource.CLINICAL_RESOURCE: may(scopes, *LOOK),
        Resource.ACCESS_LOG: may(scopes, *LOOK, EXPORT),
        Resource.CONSENT: may(scopes, CREATE, *LOOK, ACT),
        Resource.DISCLOSURE: may(scopes, *LOOK, EXPORT),
        Resource.APPOINTMENT: may(scopes, CREATE, *LOOK, ACT),
        Resource.WAITLIST: may(scopes, CREATE, *LOOK, ACT),
        Resource.VISIT: may(scopes, CREATE, *LOOK, ACT),
        Resource.SUMMARY: may(scopes, *LOOK),
        Resource.PRESCRIPTION: may(scopes, *LOOK),
    }


TABLE: Mapping[Role, Mapping[Resource, Row]] = {
    Role.PATIENT: {**people(MINE), Resource.PROXY_GRANT: may(MINE, CREATE, *LOOK, DELETE)},
    Role.PROXY: {**people(DELEGATED), Resource.PROXY_GRANT: may(DELEGATED, CREATE, *LOOK, DELETE)},
    Role.PROVIDER: {
        **EVERYONE,
        Resource.PATIENT: may(CHART, *LOOK),
        Resource.CLINICAL_RESOURCE: may(CHART, *LOOK),
        Resource.EMERGENCY_ACCESS: may(OWN, CREATE, *LOOK, ACT),
        Resource.CARE_RELATIONSHIP: may(CARE, *LOOK),
        Resource.PANEL: may(OWN, *LOOK, ACT),
        Resource.AVAILABILITY: may(OWN, *LOOK),
        Resource.CALENDAR: may(OWN, CREATE, *LOOK, DELETE, ACT),
        Resource.APPOINTMENT: may(CARE, CREATE, *LOOK, ACT),
        Resource.WAITLIST: may(CARE, CREATE, *LOOK, ACT),
        Resource.VISIT: may(CARE, *LOOK, ACT),
        Resource.WAITING_ROOM: may(CARE, *LOOK, ACT),
        Resource.NOTE: {**may(CARE, CREATE, UPDATE, SIGN), **may(CHART, *LOOK)},
        Resource.SUMMARY: may(CHART, *LOOK),
        Resource.MEDICATION: may(ALL, *LOOK),
        Resource.PRESCRIPTION: {**may(CARE, CREATE, UPDATE, ACT, SIGN), **may(CHART, *LOOK)},
    },
    Role.NURSE: {
        **EVERYONE,
        Resource.IMPORT: may(ALL, CREATE),
        Resource.PATIENT: may(DESK, *LOOK),
        Resource.CLINICAL_RESOURCE: may(CHART, *LOOK),
        Resource.EMERGENCY_ACCESS: may(OWN, CREATE, *LOOK, ACT),
        Resource.CARE_RELATIONSHIP: may(CARE, *LOOK),
        Resource.APPOINTMENT: may(DESK, *LOOK, ACT),
        Resource.VISIT: may(CARE, CREATE, *LOOK, ACT),
        Resource.WAITING_ROOM: may(CARE, *LOOK, ACT),
        Resource.NOTE: may(CHART, *LOOK),
        Resource.SUMMARY: may(CHART, *LOOK),
        Resource.MEDICATION: may(ALL, *LOOK),
        Resource.PRESCRIPTION: may(CHART, *LOOK),
    },
    Role.FRONT_DESK: {
        **EVERYONE,
        Resource.PATIENT: may(DESK, CREATE, *LOOK, UPDATE),
        Resource.CONTACT_PREFERENCE: may(OWN | DESK, *LOOK, UPDATE, ACT),
        Resource.INVITATION: may(DESK, CREATE, *LOOK),
        Resource.PROXY_GRANT: may(DESK, CREATE, *LOOK, DELETE),
        Resource.CONSENT: may(DESK, CREATE),  # what was signed on paper: recorded, never looked through
        Resource.CARE_RELATIONSHIP: may(DESK, CREATE, *LOOK, DELETE),
        Resource.STAFF_RECORD: may(DESK, CREATE, *LOOK, DELETE),
        Resource.APPOINTMENT: may(DESK, CREATE, *LOOK, ACT),
        Resource.WAITLIST: may(DESK, CREATE, *LOOK, ACT),
        Resource.AVAILABILITY: may(ALL, *LOOK),
        Resource.BOOKABLE_RESOURCE: may(ALL, *LOOK),
        Resource.GROUP_VISIT: may(ALL, CREATE, *LOOK, ACT),
        Resource.REASSIGNMENT: may(ALL, CREATE),
        Resource.VISIT: may(DESK, CREATE, *LOOK),
        Resource.WAITING_ROOM: may(DESK, *LOOK),
    },
    Role.BILLER: {
        **EVERYONE,
        Resource.PATIENT: may(DESK, *LOOK),
        Resource.APPOINTMENT: may(DESK, *LOOK),
        Resource.BILLING: may(DESK, *LOOK),
    },
    Role.PRIVACY_OFFICER: {
        **EVERYONE,
        Resource.ACCESS_LOG: may(ALL, *LOOK, EXPORT),
        Resource.AUDIT_ENTRY: may(ALL, *LOOK, EXPORT),
        Resource.DISCLOSURE: may(ALL, CREATE, *LOOK, EXPORT),
        Resource.INCIDENT: may(ALL, CREATE, *LOOK, ACT, EXPORT),
        Resource.CARE_RELATIONSHIP: may(ALL, *LOOK),
        Resource.EMERGENCY_ACCESS: may(ALL, *LOOK),
        Resource.FINDING: may(ALL, *LOOK, ACT),
        Resource.DESTRUCTION: may(ALL, CREATE, *LOOK, UPDATE, ACT),
        Resource.LEGAL_HOLD: may(ALL, CREATE, *LOOK, ACT),
        Resource.PROXY_GRANT: may(ALL, *LOOK),
        Resource.ROLE_GRANT: may(ALL, *LOOK, UPDATE, ACT),
        Resource.STAFF_RECORD: may(ALL, CREATE, *LOOK, DELETE),
    },
    Role.ADMINISTRATOR: {
        **EVERYONE,
        Resource.APP: may(ALL, CREATE, *LOOK, UPDATE),
        Resource.STAFF_ACCOUNT: may(ALL, CREATE, *LOOK, UPDATE, ACT),
        Resource.AVAILABILITY: may(ALL, CREATE, *LOOK, UPDATE, DELETE),
        Resource.BOOKABLE_RESOURCE: may(ALL, CREATE, *LOOK, UPDATE),
        Resource.CALENDAR: may(ALL, *LOOK, DELETE),
        Resource.GROUP_VISIT: may(ALL, CREATE, *LOOK, ACT),
        Resource.REASSIGNMENT: may(ALL, CREATE),
        Resource.LICENSE: may(ALL, CREATE, *LOOK, UPDATE),
        Resource.LOCATION: may(ALL, CREATE, *LOOK, UPDATE),
        Resource.MEDICATION: may(ALL, CREATE, *LOOK, UPDATE),
        Resource.ORGANIZATION: may(ALL, CREATE, *LOOK, UPDATE),
        Resource.OUTBOX: may(ALL, *LOOK, ACT),
        Resource.PANEL: may(ALL, *LOOK, ACT),
        Resource.PHARMACY: may(ALL, CREATE, *LOOK, UPDATE),
        Resource.PRACTITIONER: may(ALL, CREATE, *LOOK, UPDATE),
        Resource.ROLE_GRANT: may(ALL, CREATE, *LOOK, UPDATE, ACT),
        Resource.VISIT_TYPE: may(ALL, CREATE, *LOOK, UPDATE),
    },
}


def lend(actions: Iterable[Action], *resources: Resource) -> dict[Resource, Row]:
    """These of the patient's cells: a scope of apps is made of nothing else."""
    rows = TABLE[Role.PATIENT]
    return {resource: {action: cell for action, cell in rows[resource].items() if action in actions} for resource in resources}


FACE = lend(LOOK, Resource.ACCOUNT, Resource.LOCATION, Resource.ORGANIZATION, Resource.PRACTITIONER, Resource.VISIT_TYPE)

# What an app may be given: it acts with what both the person and this part of the patient's rows have, never with more.
APP_SCOPES: Mapping[str, Mapping[Resource, Row]] = {
    "patient": TABLE[Role.PATIENT],
    "patient.read": lend(LOOK, *TABLE[Role.PATIENT]),
    "schedule": {**FACE, **lend(Action, Resource.SLOT, Resource.APPOINTMENT)},
    "visits": {**FACE, **lend(LOOK, Resource.APPOINTMENT, Resource.SUMMARY), **lend(Action, Resource.VISIT)},
    "record": {
        **FACE,
        **lend(LOOK, Resource.PATIENT, Resource.CLINICAL_RESOURCE, Resource.SUMMARY, Resource.PRESCRIPTION, Resource.PHARMACY),
        **lend(Action, Resource.ACCESS_LOG, Resource.DISCLOSURE),
    },
    "sharing": {**FACE, **lend(LOOK, Resource.PATIENT), **lend(Action, Resource.CONSENT, Resource.PROXY_GRANT)},
    "openid": {},  # who the person is, in an identity token; no address answers for it
    "offline_access": {},  # a refresh token; it opens nothing either
}

NOTHING: Cell = frozenset()
_ROLES = frozenset(map(str, Role))


def scopes(role: str, action: Action, resource: Resource) -> Cell:
    """The table's cell; an unknown role has nothing."""
    rows: Mapping[Resource, Row] = TABLE[Role(role)] if role in _ROLES else {}
    return rows.get(resource, {}).get(action, NOTHING)


def granted(by: Actor, action: Action, resource: Resource) -> Cell:
    """What this actor has now: the cell of their role, narrowed to what their app was given."""
    held = scopes(by.role, action, resource)
    if not by.client:
        return held
    lent = (APP_SCOPES[name].get(resource, {}).get(action, NOTHING) for name in by.scopes if name in APP_SCOPES)
    return held & NOTHING.union(*lent)


def gate(by: Actor, action: Action, resource: Resource) -> None:
    """Turn away whoever has no scope at all, as if there were nothing here; which rows the others see, queries decide."""
    if not granted(by, action, resource):
        refuse(by, "no_scope", kind=f"{resource}.{action}")
        raise Refused
