"""What an address is asked with, and what is asked beyond the table: the parts that rows are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from telehealth.accounts.access import Action, Resource, Role
from telehealth.core import now
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.oracle import Who
from tests.consults.stage import CHECK_IN, TEXT

Rule = Callable[[Who, str], bool]
Body = Callable[[Clinic, str], dict[str, Any]]
PATIENT_SIDE: Final = (Role.PATIENT, Role.PROXY)


def always(who: Who, record: str) -> bool:
    return True


def conducts(who: Who, record: str) -> bool:
    """The visit's own provider, and the author of what was written in it."""
    return record in who.conducts


def takes_part(who: Who, record: str) -> bool:
    return conducts(who, record) or who.role in PATIENT_SIDE


def checks_in(who: Who, record: str) -> bool:
    return takes_part(who, record) or who.role == Role.NURSE


def decides(who: Who, record: str) -> bool:
    """Who lets others act for the patient: the patient, or a guardian."""
    return who.owns == record or record in who.guardian


def ends_grants(who: Who, record: str) -> bool:
    """Those, and the desk. The grant in question is nobody's of these."""
    return decides(who, record) or who.role == Role.FRONT_DESK


def arranges(who: Who, record: str) -> bool:
    """Their own panel, or everybody's."""
    return who.role == Role.ADMINISTRATOR or record in who.conducts


def declared_it(who: Who, record: str) -> bool:
    return record in who.declared


def declared_or_reviews(who: Who, record: str) -> bool:
    return declared_it(who, record) or who.role == Role.PRIVACY_OFFICER


def sees_the_visit(who: Who, record: str) -> bool:
    """The page of a note is the visit's, also where the note alone may be seen."""
    return who.sees(record, Action.READ, Resource.VISIT)


def in_demonstration(who: Who, record: str) -> bool:
    return False  # it is none


def nothing(clinic: Clinic, record: str) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Row:
    """`things` fill the gaps of the path, in order."""

    things: tuple[str, ...]
    body: Body = nothing
    rule: Rule = always
    headers: Mapping[str, str] = field(default_factory=dict)
    sealed: bool = False  # answers from the sealed log, which is not there yet: 503
    blind: bool = False  # says the same of every id: it looks for nothing before it is sent


IN_AN_HOUR: Final = timedelta(hours=1)
ORDER: Final = {"medication": "308191", "pharmacy": "2200017", "sig": "one", "quantity": "7", "days_supply": 7, "refills": 0}
GOING: Final = {"format": "csv", "recipient": {"name": "Court"}, "purpose": "subpoena", "basis": "required_by_law"}
NAMES: Final = {"patients": "patient", "desk": "patient", "emergency": "patient", "notes": "note", "consents": "consent", "visits": "visit"}


def to(practitioner: str) -> Body:
    return lambda clinic, record: {practitioner: clinic.doctors["dr_els"].pk}


def fixed(**values: Any) -> Body:
    return lambda clinic, record: values


def soon(**more: Any) -> dict[str, Any]:
    return {"starts_at": now().isoformat(), "ends_at": (now() + IN_AN_HOUR).isoformat(), **more}


def put_elsewhere(clinic: Clinic, record: str) -> dict[str, Any]:
    return {"local": f"{now() + timedelta(days=3):%Y-%m-%dT%H:00}"}


def called(clinic: Clinic, record: str) -> dict[str, Any]:
    return {**put_elsewhere(clinic, record), "visit_type": "video-10", "provider": clinic.doctors["dr_els"].pk}


def booking(clinic: Clinic, record: str) -> dict[str, Any]:
    return {"visit_type": "video-10", "offer": f"{clinic.doctors['dr_els'].pk} {(now() + IN_AN_HOUR).isoformat()}"}


def moved(clinic: Clinic, record: str) -> dict[str, Any]:
    return {"starts_at": (now() + 30 * IN_AN_HOUR).isoformat()}


def kept_note(clinic: Clinic, record: str) -> dict[str, Any]:
    return {**TEXT, "note": clinic.thing(record, "draft"), "version": 1}


CHECKED: Final = {**CHECK_IN["location"], "callback": "617-555-0147", "confirmed": "on", "consent": "on"}
DECLARE: Final = {"reason": "unresponsive", "text": "Found on the floor."}
IF_MATCH: Final = {"HTTP_IF_MATCH": '"1"'}
FACTORS: Final = {name: "x" for name in ("nature", "recipient", "acquired", "mitigation")}
