"""Forms filled in as their pages want them: of the portal's pages, and of Django's admin with the actions of its lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from audit.ledger import SYSTEM, uuid7
from prescribing.models import Medication
from scheduling.models import Availability, Opening, VisitType
from scheduling.services import open_hours
from telehealth.accounts import totp
from telehealth.accounts.models import RoleGrant, Session, StaffReset
from telehealth.core import now
from telehealth.records.models import Destruction, LegalHold
from tests.cast import make_patient
from tests.conformance.cells.clinic import Clinic, Kept
from tests.conformance.cells.parts import DECLARE, ORDER
from tests.records import bundles

Body = Callable[[Clinic], dict[str, Any]]


@dataclass(frozen=True)
class Form:
    """Who sends what where. `own`: fields of the form that `body` leaves empty."""

    name: str
    who: str
    path: str
    body: Body
    own: str = ""

    def asked(self, clinic: Clinic) -> tuple[Kept, str, dict[str, Any]]:
        """A browser, the address, and what the form itself asks for."""
        browser = clinic.browser(self.who)
        browser.put_back()
        return browser, self.path, self.body(clinic)


def code_of(clinic: Clinic, who: str) -> str:
    return totp.code_at(clinic.seeds[who], totp.step_of(now()))


def imported(clinic: Clinic) -> dict[str, Any]:
    whose = bundles.patient()
    return {"bundle": bundles.stream(bundles.bundle(whose, bundles.observation(whose)))}


def elsewhere(clinic: Clinic) -> dict[str, Any]:
    """Another browser of the same person."""
    return {"session": Session.objects.create(account_id=clinic.accounts["nan"], kind=Session.Kind.BROWSER).pk}


def offered(clinic: Clinic) -> dict[str, Any]:
    """Noon of the day after tomorrow, when dr_els is there."""
    doctor, noon = clinic.doctors["dr_els"].pk, datetime.combine(now().date() + timedelta(days=2), time(12), UTC)
    if not Availability.objects.filter(practitioner=doctor).exists():
        open_hours(practitioner_id=doctor, rrule="FREQ=DAILY", starts=time(8), ends=time(16), timezone="UTC", by=SYSTEM)
    return {"visit_type": "video-10", "offer": f"{doctor} {noon.isoformat()}"}


WHERE: Final = "provider day view hours"  # which calendar one looks at


def at_noon(clinic: Clinic, **more: Any) -> dict[str, Any]:
    """Noon in three days, when dr_cho is there."""
    doctor = clinic.doctors["dr_cho"]
    if not Opening.objects.filter(practitioner=doctor).exists():
        open_hours(practitioner_id=doctor.pk, rrule="FREQ=DAILY", starts=time.min, ends=time.min, timezone="UTC", by=SYSTEM)
    noon = datetime.combine(now().date() + timedelta(days=3), time(12), UTC).astimezone(ZoneInfo(doctor.timezone))
    return {"local": f"{noon:%Y-%m-%dT%H:%M}", **more}


def called(clinic: Clinic) -> dict[str, Any]:
    return at_noon(clinic, visit_type="video-10", provider=clinic.doctors["dr_cho"].pk, book="yes")


# Pages without a gap; and where the body of the cells' row would be turned away.
PAGES: Final[Mapping[str, tuple[str, Body, str]]] = {
    "post records/import/": ("nan", imported, ""),
    "post emergency/": ("nan", lambda clinic: {"mrn": "MRN-Nettle-Ned"}, "family given birth_date"),
    "post emergency/<uuid:patient_id>/": ("dr_els", lambda clinic: dict(DECLARE), ""),
    "post desk/": ("desk", lambda clinic: {"name": "Qui"}, "birth_date phone mrn"),
    "post calendar/booking/": ("desk", lambda clinic: {"name": "Qui"}, f"birth_date phone mrn local {WHERE}"),
    "post calendar/booking/<uuid:patient_id>/": ("desk", called, f"reason state code why hold {WHERE}"),
    "post calendar/appointments/<uuid:appointment_id>/move/": ("dr_cho", at_noon, f"to version {WHERE}"),
    "post calendars/feed/": ("dr_cho", lambda clinic: {}, ""),
    "post calendars/feed/revoke/": ("dr_cho", lambda clinic: {}, ""),
    "post calendars/busy/": ("dr_cho", lambda clinic: {"url": "https://calendar.example/a.ics"}, ""),
    "post factors/": ("nan", lambda clinic: {"act": "codes"}, "id name"),
    "post sessions/": ("nan", elsewhere, "all"),
    "post patients/<uuid:patient_id>/booking/": ("pia", offered, "reason"),
    "post visits/<uuid:visit_id>/prescriptions/": (
        "dr_cho", lambda clinic: {**ORDER, "medication": Medication.objects.all()[0].rxcui}, "substitution note"),
    "post prescriptions/<uuid:prescription_id>/sign/": ("dr_cho", lambda clinic: {"code": code_of(clinic, "dr_cho")}, "answer"),
}  # fmt: skip
# What a form of a row has besides the row's body.
MORE_OF_ROWS: Final = {
    "post desk/patients/<uuid:patient_id>/staff/": "ended",
    "post visits/<uuid:visit_id>/note/": "sensitivity",
    "post visits/<uuid:visit_id>/note/sign/": "sensitivity",
}
WITHOUT_EFFECT: Final = {
    "post emergency/": "it finds somebody, and the ledger says so",
    "post desk/": "the same",
    "post calendar/booking/": "the same",
    "post visits/<uuid:visit_id>/complete/": "the call is still going on",
    "passkeys/options/": "the challenge is the session's",
    "session/": "so is the time",
    "oauth/introspect/": "it tells",
}

ASK: Final = {"code": "moved", "in_words": "Other work."}
CLOSURE: Final = {
    "kind": "off", "code": "holiday", "first_day": "2027-01-01", "last_day": "2027-01-01",
    "starts": "00:00", "ends": "00:00", "timezone": "UTC",
}  # fmt: skip
HOURS: Final = {"rrule": "FREQ=DAILY", "starts": "09:00", "ends": "17:00", "timezone": "UTC"}
KIND: Final = {
    "code": "new-kind", "name": "New", "modality": "video", "minutes": 10, "step_minutes": 10, "buffer_before": 0, "buffer_after": 0,
    "lead_minutes": 0, "horizon_days": 60, "who_may_book": "anyone",
    "capacity": 1, "cancel_notice_minutes": 0, "late_cancel": "flag", "is_active": "on",
}  # fmt: skip
LEAVE: Final = {"state": "MA", "valid_from": "2030-01-01"}
APP: Final = {"client_id": "steps", "name": "Steps", "client_type": "public", "redirect_uris": "https://steps.example/back"}
TOLD: Final = {"recipient_name": "County", "told": "A letter", "why": "By law", "by_right": "public_health"}
MISUSE: Final = {"subject_kind": "account", "starts_at": "2026-01-02 09:00", "ends_at": "2026-01-03 09:00", "discovered_on": "2026-01-04"}


def nobodys() -> UUID:
    """A record that nothing keeps."""
    return make_patient("Quince", "Ida", mrn=uuid7().hex).pk


def of(model: type[Any]) -> str:
    return " ".join(field.name for field in model._meta.fields if field.editable)


def account(who: str, **more: Any) -> Body:
    return lambda clinic: {"account": clinic.accounts[who], **ASK, **more}


def fixed(**values: Any) -> Body:
    return lambda clinic: dict(values)


def by_els(**values: Any) -> Body:
    return lambda clinic: {**values, "practitioner": clinic.doctors["dr_els"].pk}


# Each form of the admin that somebody may send: its body, and what else is its own.
FORMS: Final[Mapping[str, tuple[Body, str]]] = {
    "accounts.Invitation add": (fixed(**ASK, address="new@people.example", role="nurse", name="New"), ""),
    "accounts.RoleGrant add": (account("nan", role="biller"), "expires_at"),
    "accounts.StaffReset add": (account("nan", code="lost"), ""),
    "accounts.Application add": (fixed(**APP), "client_secret"),
    "accounts.Application change": (fixed(**APP), "client_secret"),
    "records.LegalHold add": (lambda clinic: {"record": clinic.thing("pia", "patient"), "code": "audit", "in_words": "An audit."}, ""),
    "records.Destruction add": (lambda clinic: {"record": nobodys(), "code": "retention_over", "in_words": "Old."}, ""),
    "records.License add": (by_els(**LEAVE), "valid_to"),
    "records.License change": (fixed(valid_to="2031-01-01"), ""),
    "records.LicenseException add": (by_els(**LEAVE, basis="compact"), "valid_to"),
    "records.LicenseException change": (fixed(valid_to="2031-01-01"), ""),
    "review.Finding change": (fixed(verdict="justified", note="There was a reason."), "code"),
    "review.Incident add": (lambda clinic: {**MISUSE, "subject": clinic.accounts["biller"]}, "told"),
    "review.Incident change": (fixed(step="survey"), "conclusion nature got_by acquired mitigation notice told_on recipient purpose basis"),
    "review.Disclosure add": (lambda clinic: {**TOLD, "about": clinic.thing("pia", "patient")}, "when recipient_address"),
    "review.Disclosure change": (fixed(accounting_as="csv"), "complete code"),
    "scheduling.VisitType add": (fixed(**KIND), of(VisitType)),
    "scheduling.VisitType change": (fixed(**KIND), of(VisitType)),
    "scheduling.Availability add": (by_els(**HOURS), "valid_from valid_to visit_types"),
    "scheduling.AvailabilityException add": (fixed(**CLOSURE), "practitioner visit_types"),
    "scheduling.BookableResource add": (fixed(kind="room", name="Room 2"), "account_id languages"),
    "scheduling.BookableResource change": (fixed(name="Ines", languages="es", is_active="on"), "account_id"),
}


def asked_for(**more: Any) -> Callable[[Clinic], UUID]:
    return lambda clinic: (
        RoleGrant.objects.create(account_id=clinic.accounts["nan"], role="biller", code="moved", requested_by=uuid7(), **more).pk
    )


def standing(clinic: Clinic) -> UUID:
    return asked_for(approved_by=uuid7(), approved_at=now(), starts_at=now())(clinic)


def reset(clinic: Clinic) -> UUID:
    return StaffReset.objects.create(account_id=clinic.accounts["nan"], code="lost", why="x", requested_by=uuid7()).pk


def held(clinic: Clinic) -> UUID:
    return LegalHold.objects.create(patient_id=clinic.thing("pia", "patient"), code="audit", why="x", placed_by=uuid7()).pk


def shredded(clinic: Clinic) -> UUID:
    return Destruction.objects.create(patient_id=nobodys(), code="retention_over", why="x", requested_by=uuid7()).pk


# Each action of the admin's lists: who, and on which row.
ACTIONS: Final[Mapping[str, tuple[str, Callable[[Clinic], UUID]]]] = {
    "accounts.User switch_off": ("admin", lambda clinic: clinic.accounts["nan"]),
    "accounts.User switch_on": ("admin", lambda clinic: clinic.accounts["pia"]),
    "accounts.User leave": ("admin", lambda clinic: clinic.accounts["nan"]),
    "accounts.RoleGrant approve": ("admin", asked_for()),
    "accounts.RoleGrant withdraw": ("admin", asked_for()),
    "accounts.RoleGrant confirm": ("admin", standing),
    "accounts.RoleGrant end": ("admin", standing),
    "accounts.StaffReset approve": ("admin", reset),
    "accounts.StaffReset withdraw": ("admin", reset),
    "records.LegalHold lift": ("privacy", held),
    "records.Destruction approve": ("privacy", shredded),
    "records.Destruction withdraw": ("privacy", shredded),
}
