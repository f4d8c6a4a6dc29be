"""Who is due what: the access table's cell met with plain facts about people. It shares no line with `visible`."""

from dataclasses import dataclass, field, replace
from typing import Final

from telehealth.accounts.access import APP_SCOPES, TABLE, Action, Resource, Role, Scope

RECORDS: Final = ("pia", "ned")

# docs/care.md: what a grant must name; name and contact data come with any.
SCOPE_OF: Final = {
    Resource.APPOINTMENT: "schedule",
    Resource.WAITLIST: "schedule",
    Resource.VISIT: "visits",
    Resource.SUMMARY: "visits",
    Resource.CLINICAL_RESOURCE: "record",
    Resource.PRESCRIPTION: "record",
    Resource.ACCESS_LOG: "record",
    Resource.DISCLOSURE: "record",
    Resource.CONSENT: "record",
    Resource.PATIENT: "any",
    Resource.PROXY_GRANT: "any",
}


# What belongs to an account and not to a record: whose it is, the row of the address says.
THEIR_OWN: Final = frozenset(
    {Resource.AVAILABILITY, Resource.CALENDAR, Resource.PANEL, Resource.EMERGENCY_ACCESS, Resource.SESSION, Resource.ACCOUNT}
)


@dataclass(frozen=True)
class Who:
    """One person of the clinic, and what is true of them now: `lost` is what was true once."""

    name: str
    role: Role
    owns: str = ""
    grants: dict[str, tuple[str, ...]] = field(default_factory=dict)  # record: scopes
    guardian: frozenset[str] = frozenset()
    cares: frozenset[str] = frozenset()
    conducts: frozenset[str] = frozenset()  # whose visit it is to conduct
    declared: frozenset[str] = frozenset()  # emergencies that last, of this session
    declared_once: frozenset[str] = frozenset()  # in this session, which does not know yet that it is over
    lost: str = ""
    app: str = ""  # the scopes of the app through which this person asks, if they do

    def scopes(self, action: Action, resource: Resource) -> frozenset[Scope]:
        held = TABLE[self.role].get(resource, {}).get(action, frozenset())
        return held.intersection(self.lent(action, resource)) if self.app else held

    def lent(self, action: Action, resource: Resource) -> set[Scope]:
        return {scope for name in self.app.split() for scope in APP_SCOPES[name].get(resource, {}).get(action, ())}

    def in_an_app(self, scopes: str) -> "Who":
        """The same person through an app, which knows of no emergency that a session declared."""
        return replace(self, app=scopes, declared=frozenset(), declared_once=frozenset())

    def sees(self, record: str, action: Action, resource: Resource) -> bool:
        """Whether this person has a reason for the action on that record's things."""
        held = self.scopes(action, resource)
        reasons = {
            Scope.ALL: True,
            Scope.DESK: True,
            Scope.OWN: self.owns == record or resource in THEIR_OWN,
            Scope.DELEGATED: record in self.grants and SCOPE_OF.get(resource) in ("any", *self.grants[record]),
            Scope.CARE: record in self.cares,
            Scope.EMERGENCY: record in self.declared,
        }
        return any(reasons[scope] for scope in held)


EVERY: Final = ("schedule", "messages", "visits", "record")
PIA: Final = frozenset({"pia"})
NED: Final = frozenset({"ned"})

PEOPLE: Final = (
    Who("pia", Role.PATIENT, owns="pia"),
    Who("ned", Role.PATIENT, owns="ned"),
    Who("nia", Role.PATIENT, grants={"pia": ("schedule", "record")}),
    Who("gus", Role.PROXY, grants={"pia": EVERY}, guardian=PIA),
    Who("sue", Role.PROXY, grants={"pia": ("schedule",)}),
    Who("viv", Role.PROXY, grants={"pia": ("visits",), "ned": ("messages",)}),
    Who("rex", Role.PROXY, grants={"pia": ("record",)}),
    Who("exa", Role.PROXY, lost="the grant was revoked"),
    Who("dr_cho", Role.PROVIDER, cares=PIA, conducts=PIA),
    Who("dr_cov", Role.PROVIDER, cares=PIA),
    Who("dr_dee", Role.PROVIDER, conducts=NED, lost="the care of ned ended"),
    Who("dr_exc", Role.PROVIDER, lost="the cover is over"),
    Who("dr_fut", Role.PROVIDER, lost="the cover has not begun"),
    Who("dr_btg", Role.PROVIDER, declared=PIA),
    Who("dr_exb", Role.PROVIDER, declared_once=PIA, lost="the emergency is over"),
    Who("dr_els", Role.PROVIDER, lost="the emergency was declared in another session"),
    Who("nan", Role.NURSE, cares=PIA),
    Who("nat", Role.NURSE, cares=PIA, declared=NED),
    Who("desk", Role.FRONT_DESK),
    Who("biller", Role.BILLER),
    Who("privacy", Role.PRIVACY_OFFICER),
    Who("admin", Role.ADMINISTRATOR),
)
