"""One of each thing that a record can have."""

import json
from datetime import date, timedelta
from uuid import UUID

from audit.ledger import uuid7
from audit.ledger.models import Entry
from audit.review.models import Detector, Disclosure, Finding, Incident
from consults.mailboxes import sealing
from consults.models import Note, Visit
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
from telehealth.core import now
from telehealth.outbox.models import Message
from telehealth.records import labels
from telehealth.records.labels import Category
from telehealth.records.models import (
    CareRelationship,
    ClinicalResource,
    Consent,
    Patient,
    Practitioner,
    StaffRecord,
)
from tests.conformance.cells.clinic import CONSENTED, HOUR, KINDS, PLAN, Clinic
from tests.conformance.samples import sample
from tests.consults.stage import CHECK_IN, TEXT, appoint

ORDERED = dict.fromkeys(
    ("prescription", "number", "visit", "signed_at", "quantity", "days_supply", "refills", "substitution", "sig", "note")
)
SAID = ORDERED | {"patient": {"id": ""}, "prescriber": {"id": ""}, "pharmacy": {"ncpdp_id": ""}, "medication": {"rxcui": ""}}
BODY = '{"resourceType":"Condition","code":{"text":"%s"}}'


def things_of(made: Clinic, name: str, patient: Patient, doctor: Practitioner) -> dict[str, UUID]:
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
