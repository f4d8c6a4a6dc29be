"""The clinic itself: pia's record and ned's, one of each thing in both, and everybody of the oracle's list signed in."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache

from audit.ledger import uuid7
from audit.ledger.models import Entry
from audit.review.models import Detector, Disclosure, Finding, Incident
from consults.mailboxes import sealing
from consults.models import Note, Visit
from prescribing import demo
from prescribing.models import Medication, Pharmacy, Prescription
from scheduling.models import (
    Appointment,
    AppointmentSeries,
    Availability,
    AvailabilityException,
    BookableResource,
    BusyCalendar,
    CalendarFeed,
    GroupVisit,
    VisitType,
    WaitlistEntry,
    WaitlistOffer,
)
from telehealth.accounts import live, sessions, totp
from telehealth.accounts.models import Session, TOTPDevice, User
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.core import now
from telehealth.core.demo import DemoClinic
from telehealth.outbox.models import Message
from telehealth.records import labels
from telehealth.records.labels import Category
from telehealth.records.models import (
    CareRelationship,
    ClinicalResource,
    Consent,
    Covering,
    EmergencyAccess,
    Patient,
    Practitioner,
    ProxyGrant,
    StaffRecord,
)
from tests.cast import make_patient, make_practitioner
from tests.conformance.cells.oracle import PEOPLE, Who
from tests.conformance.samples import sample
from tests.consults.stage import CHECK_IN, TEXT, appoint
from tests.people import Browser

HOUR = timedelta(hours=1)
KINDS: tuple[Category | None, ...] = (None, *Category)
CONSENTED = Category.HIV  # by pia, to her care team; nothing else is
ORDERED = dict.fromkeys(
    ("prescription", "number", "visit", "signed_at", "quantity", "days_supply", "refills", "substitution", "sig", "note")
)
SAID = ORDERED | {"patient": {"id": ""}, "prescriber": {"id": ""}, "pharmacy": {"ncpdp_id": ""}, "medication": {"rxcui": ""}}
PLAN = "plan of %s %s."
BODY = '{"resourceType":"Condition","code":{"text":"%s"}}'
PASSWORD = "a kettle of fish and chips"


@dataclass
class Clinic:
    """Ids of everything by record and thing, and a browser for each person."""

    accounts: dict[str, UUID] = field(default_factory=dict)
    doctors: dict[str, Practitioner] = field(default_factory=dict)
    browsers: dict[str, "Kept"] = field(default_factory=dict)
    things: dict[str, dict[str, UUID]] = field(default_factory=dict)
    rows: dict[tuple[str, Category | None], UUID] = field(default_factory=dict)
    notes: dict[tuple[str, Category | None], UUID] = field(default_factory=dict)
    seeds: dict[str, str] = field(default_factory=dict)

    def thing(self, record: str, name: str) -> UUID:
        """The id of this thing of this record."""
        return self.things[record][name]

    def browser(self, who: str) -> "Kept":
        return self.browsers[who]


def build() -> Clinic:
    """Needs a unit and a transaction."""
    cache.clear()
    made = Clinic()
    demo.make(DemoClinic())
    for who in PEOPLE:
        _account(made, who)
    patients = {name: make_patient(*names, made.accounts[name]) for name, names in (("pia", ("Quill", "Pia")), ("ned", ("Nettle", "Ned")))}
    for name, doctor in (("pia", "dr_cho"), ("ned", "dr_dee")):
        made.things[name] = _things(made, name, patients[name], made.doctors[doctor])
    _relations(made, patients)
    made.things["nowhere"] = {name: uuid7() for name in made.things["pia"]}
    for who in PEOPLE:
        made.browsers[who.name] = signed_in(made, who)
    return made


def _account(made: Clinic, who: Who) -> None:
    user = User(email=f"{who.name}@people.example", role=who.role, name="" if who.role in PATIENT_SIDE else who.name)
    user.set_password(PASSWORD)
    user.save()
    made.accounts[who.name] = user.pk
    made.seeds[who.name] = totp.new_seed()
    TOTPDevice.objects.create(user=user, seed=made.seeds[who.name], confirmed=True)
    if who.role == "provider":
        made.doctors[who.name] = make_practitioner(who.name, "Dr", user.pk)


def _things(made: Clinic, name: str, patient: Patient, doctor: Practitioner) -> dict[str, UUID]:
    appointment = appoint(patient, doctor, timedelta(minutes=5))
    CareRelationship.objects.filter(patient=patient).delete()
    later, held = appoint(patient, doctor, timedelta(days=2)), appoint(patient, doctor, timedelta(days=3))
    Appointment.objects.filter(pk=held.pk).update(status="pending")
    series = AppointmentSeries.objects.create(rule="FREQ=WEEKLY;COUNT=2")
    Appointment.objects.filter(pk=later.pk).update(series=series)
    CareRelationship.objects.filter(patient=patient).delete()
    moment = now()
    under_way = {"status": "in-progress", "waiting": "in-call", "checked_in_at": moment, "admitted_at": moment, "started_at": moment}
    under_way |= {"patient": patient, "practitioner": doctor, "location": CHECK_IN["location"], "signal_key": sealing.new_key()}
    visit = Visit.objects.create(appointment=appointment, **under_way)
    over = {"status": "finished", "waiting": "left", "signal_key": "", "ended_at": moment, "last_left_at": moment}
    done = Visit.objects.create(appointment=_past(patient, doctor), **under_way | over)
    text = TEXT | {"salt": "00"}
    author = {"patient": patient, "author_id": doctor.account_id, "body": text}
    signing = {"status": "signed", "signed_at": moment, "digest": b"d" * 32, "signature": b"s" * 64, "key_id": uuid7()}
    for kind in KINDS:
        told = {"labels": labels.tokens(patient.pk, [kind] if kind else []), "body": text | {"plan": PLAN % (name, kind)}}
        made.notes[name, kind] = Note.objects.create(visit=done, **signing, **author | told).pk
    draft = sample(Note, visit=visit, status="draft", signed_at=None, digest=None, signature=None, key_id=None, **author)
    ordered = {"patient": patient, "prescriber": doctor, "visit": visit, "medication": Medication.objects.all()[0]}
    ordered |= {"pharmacy": Pharmacy.objects.all()[0], "sig": "one a day", "note": "", "days_supply": 7, "quantity": 7}
    sent = sample(Prescription, status="queued", number=uuid7().hex, content=json.dumps(SAID), **ordered)
    unsigned = {"signed_at": None, "digest": None, "signature": None, "key_id": None, "content": None}
    written = sample(Prescription, status="draft", number=uuid7().hex, **ordered, **unsigned)
    for kind in KINDS:
        row = ClinicalResource.objects.create(
            patient=patient, type="Condition", body=BODY % f"{name} {kind}", body_key=b"k" * 32,
            labels=labels.tokens(patient.pk, [kind] if kind else []),
        )  # fmt: skip
        made.rows[name, kind] = row.pk
    consents = {kind: _consent(made, name, patient, kind) for kind in (CONSENTED, Category.SEXUAL_HEALTH)}
    Consent.objects.filter(pk=consents[Category.SEXUAL_HEALTH]).update(withdrawn_at=moment)
    entry = Entry.objects.order_by("id").values_list("pk", flat=True)[0]
    found = {
        "patient": patient.pk,
        "visit": visit.pk,
        "done": done.pk,
        "appointment": appointment.pk,
        "later": later.pk,
        "held": held.pk,
        "series": series.pk,
        "note": made.notes[name, None],
    }
    found |= {"draft": draft.pk, "prescription": sent.pk, "order": written.pk, "resource": made.rows[name, None], "entry": entry}
    found |= {"room": BookableResource.objects.create(kind="room", name="Room").pk, "group_visit": _group_visit(doctor)}
    found |= {"consent": consents[CONSENTED], "practitioner": doctor.pk}
    found["staff_record"] = StaffRecord.objects.create(patient=patient, account=str(made.accounts["biller"]), made_by=uuid7()).pk
    found["disclosure"] = sample(Disclosure, patient=patient, recipient={"name": "x", "address": ""}, basis="law").pk
    person = {
        "actor_id": made.accounts["dr_cho"],
        "record": patient.pk,
        "once": uuid7().bytes * 2,
        "detector": Detector.values[0],
        "facts": {},
    }
    found["finding"] = sample(Finding, state="open", verdict="", closed_by=None, closed_at=None, note=None, **person).pk
    facts = {"verdict": "", "assessed_at": None, "assessment": None, "surveyed_at": None, "people": None, "counts": None}
    found["incident"] = sample(Incident, subject_kind="account", subject=str(made.accounts["biller"]), starts_at=moment - HOUR,
                               ends_at=moment, discovered_on=moment.date(), **facts).pk  # fmt: skip
    found["message"] = Message.objects.create(destination="email", kind="x", object_id=appointment.pk, key=uuid7().hex, state="parked").pk
    found["hours"] = sample(Availability, practitioner=doctor).pk
    found["exception"] = sample(AvailabilityException, practitioner=doctor, first_day=date(2030, 1, 1), last_day=date(2030, 1, 1)).pk
    found["feed"] = sample(CalendarFeed, practitioner=doctor).pk
    found["busy_calendar"] = sample(BusyCalendar, practitioner=doctor).pk
    return found | _waiting(held)


def _waiting(held: Appointment) -> dict[str, UUID]:
    """Somebody for whom that appointment's time is held."""
    waits = {"patient": held.patient, "visit_type": held.visit_type, "practitioner": held.practitioner, "status": "offered"}
    entry = sample(WaitlistEntry, **waits, earliest=held.starts_at, latest=held.ends_at)
    offer = sample(WaitlistOffer, entry=entry, appointment=held, practitioner=held.practitioner, starts_at=held.starts_at)
    return {"waitlist": entry.pk, "offer": offer.pk}


def _group_visit(doctor: Practitioner) -> UUID:
    """Of nobody yet."""
    kind, _ = VisitType.objects.get_or_create(code="group", defaults={"name": "G", "minutes": 60, "step_minutes": 60, "capacity": 2})
    start = now() + timedelta(days=9)
    return GroupVisit.objects.create(practitioner=doctor, visit_type=kind, starts_at=start, ends_at=start + HOUR, capacity=2).pk


def _past(patient: Patient, doctor: Practitioner) -> Appointment:
    kind, moment = VisitType.objects.get(code="video-10"), now()
    return Appointment.objects.create(patient=patient, practitioner=doctor, visit_type=kind, status="fulfilled", reason="",
                                      starts_at=moment - 4 * HOUR, ends_at=moment - 3 * HOUR)  # fmt: skip


def _consent(made: Clinic, name: str, patient: Patient, kind: Category) -> UUID:
    return Consent.objects.create(
        patient=patient, scope="treatment", label=labels.token(patient.pk, kind), category=kind, recipient="care_team", text_version="1",
        given_by=made.accounts[name], starts_at=now() - HOUR,
    ).pk  # fmt: skip


def _relations(made: Clinic, patients: dict[str, Patient]) -> None:
    """What the oracle's list says of everybody, as rows; what was lost too."""
    moment, pia, ned = now(), patients["pia"], patients["ned"]
    for who in PEOPLE:
        for record, scopes in who.grants.items():
            relationship = "guardian" if record in who.guardian else "delegate"
            grant = _grant(patients[record], made.accounts[who.name], relationship, list(scopes))
            made.things[record].setdefault("grant", grant)
            made.things[record][f"grant:{who.name}"] = grant
    _grant(pia, made.accounts["exa"], "guardian", ["record"], starts_at=moment - 2 * HOUR, ends_at=moment - HOUR)
    made.things["pia"]["care"] = _care(pia, made.doctors["dr_cho"])
    made.things["ned"]["care"] = _care(ned, made.doctors["dr_dee"], ends_at=moment - timedelta(seconds=1))
    _care(pia, made.doctors["dr_exb"], ends_at=moment - timedelta(seconds=1))
    for record in patients:
        made.things[record]["session"] = Session.objects.create(account_id=made.accounts[record], kind=Session.Kind.BROWSER).pk
    for who, starts, ends in (("dr_cov", -1, 1), ("dr_exc", -2, -1), ("dr_fut", 1, 2)):
        row = Covering.objects.create(covered=made.doctors["dr_cho"], covering=made.doctors[who], arranged_by=made.accounts["admin"],
                                      starts_at=moment + starts * HOUR, ends_at=moment + ends * HOUR)  # fmt: skip
        made.things["pia"].setdefault("covering", row.pk)
    made.things["ned"]["covering"] = Covering.objects.create(
        covered=made.doctors["dr_dee"], covering=made.doctors["dr_els"], arranged_by=made.accounts["admin"],
        starts_at=moment, ends_at=moment + HOUR,
    ).pk  # fmt: skip
    made.things["pia"]["emergency"] = _emergency(pia, made.accounts["dr_btg"], moment)
    made.things["ned"]["emergency"] = _emergency(ned, made.accounts["nat"], moment)
    _emergency(pia, made.accounts["dr_exb"], moment - timedelta(minutes=61))
    _emergency(pia, made.accounts["dr_els"], moment)


def _grant(patient: Patient, account: UUID, relationship: str, scopes: list[str], **period: datetime) -> UUID:
    period = {"starts_at": now() - HOUR, **period}
    return ProxyGrant.objects.create(patient=patient, proxy=account, relationship=relationship, scopes=scopes, **period).pk


def _care(patient: Patient, doctor: Practitioner, **period: Any) -> UUID:
    return CareRelationship.objects.create(
        patient=patient, practitioner=doctor, source="assignment", source_id=uuid7(), starts_at=now() - HOUR, **period
    ).pk


def _emergency(patient: Patient, account: UUID, at: datetime) -> UUID:
    seen = labels.tokens(patient.pk, set(Category) - {Category.PSYCHOTHERAPY})
    return EmergencyAccess.objects.create(
        patient=patient, account=account, reason_code="unresponsive", text="On the floor.", sees=seen, starts_at=at, ends_at=at + HOUR
    ).pk


class Kept(Browser):
    """A browser whose session can be put back as it was: sessions live in the cache, which no rollback reaches."""

    kept: dict[str, Any]
    put_at: datetime

    def put_back(self) -> None:
        """And with a factor shown just now, for on a busy machine the walk outlasts one."""
        session, self.put_at = self.session, now()
        self.kept |= {name: self.put_at.isoformat() for name in (sessions.SEEN, sessions.FACTOR)}
        session.clear()
        session.update(self.kept)
        session.save()


def signed_in(made: Clinic, who: Who, kind: type[Kept] = Kept, **options: Any) -> Kept:
    """A browser with a session that has shown both factors, and that remembers the emergencies it declared."""
    browser = kind(**options)
    browser.raise_request_exception = False
    account = made.accounts[who.name]
    browser.force_login(User.objects.get(pk=account))
    session = browser.session
    session[live.SESSION] = str(Session.objects.create(account_id=account, kind=Session.Kind.BROWSER, seen_at=now() + HOUR).pk)
    session[sessions.STARTED] = session[sessions.SEEN] = session[sessions.FACTOR] = now().isoformat()
    declared = {str(made.thing(record, "patient")): (now() + HOUR).isoformat() for record in who.declared | who.declared_once}
    session[sessions.EMERGENCY] = declared
    session.save()
    browser.kept = dict(session.items())
    browser.put_back()
    return browser
