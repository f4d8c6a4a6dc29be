from typing import Any, BinaryIO

from django.db import transaction

from audit.ledger import Act, Actor, record, refuse, uuid7
from telehealth.accounts.access import Action, Resource
from telehealth.core import now, permit
from telehealth.core.errors import Refused
from telehealth.records import rules
from telehealth.records.access import visible
from telehealth.records.importing import clinical, patients, reading, staff, stream
from telehealth.records.importing.references import References
from telehealth.records.importing.report import Report
from telehealth.records.importing.survey import Item, Survey, survey
from telehealth.records.models import Patient
from telehealth.records.services.proxies import follow_ages_of


@transaction.atomic
def import_bundle(*, source: BinaryIO, by: Actor) -> Report:
    """Store a FHIR R4 transaction Bundle of one patient, all or nothing; every entry is accounted for in the report.

    Read twice from the start, an entry at a time, so that memory does not grow with the bodies. A repeat makes no
    duplicates. Raises MalformedBundle and its like, IdentifiersDisagree, Refused.
    """
    permit(by, rules.may_import, None)
    found = survey(source)
    own = found.patient_item()
    patient = _existing(found, own, by)
    own.pk = patient.pk if patient else uuid7()
    staff.identify(found.staff())
    clinical.identify(found.clinical(), patient)
    references, report = References(found, own.pk), Report(patient=own.pk, created=patient is None)
    patient, outcome = patients.store(patient, found.patient, own.url, references.resolve, own.pk)
    if outcome == "updated":
        follow_ages_of(patient_id=patient.pk, by=by)
    _count(report, found, outcome)
    _store_entries(source, found, patient, references, report)
    _record(by, patient, report)
    return report


def _existing(found: Survey, own: Item, by: Actor) -> Patient | None:
    patient = patients.find(found.patient, own.url)
    if patient and not Patient.objects.filter(visible(by, Action.CREATE, Resource.IMPORT, ""), pk=patient.pk).exists():
        refuse(by, "not_visible", kind="records.Patient", pk=patient.pk, record_id=patient.pk)
        raise Refused()
    return patient


def _count(report: Report, found: Survey, outcome: str) -> None:
    getattr(report, outcome)["Patient"] += 1
    told = reading.demographics(found.patient)
    for problem in told.problems:
        report.noted["Patient", problem] += 1
    for item in found.items:
        if item.refused:
            report.refused[item.kind, item.refused] += 1
    report.deceased = told.is_deceased
    report.minor = reading.is_minor(told.birth_date, now().date())


def _store_entries(source: BinaryIO, found: Survey, patient: Patient, references: References, report: Report) -> None:
    """The second reading: what the first one remembered, beside the bodies."""
    pairs = ((item, entry["resource"]) for item, entry in zip(found.items, stream.entries(source), strict=True))
    born = reading.demographics(found.patient).birth_date
    wanted = (pair for pair in pairs if not pair[0].refused and pair[0].kind != "Patient")
    for window in clinical.windows(wanted):
        for item, resource in window:
            if item.staff:
                _store_staff(item, resource, references, report)
        clinical.store([pair for pair in window if not pair[0].staff], patient, born, references.resolve, report)


def _store_staff(item: Item, resource: dict[str, Any], references: References, report: Report) -> None:
    outcome, odd = staff.store(item, resource, references.resolve)
    getattr(report, outcome)[item.kind] += 1
    for reason in odd:
        report.noted[item.kind, reason] += 1


def _record(by: Actor, patient: Patient, report: Report) -> None:
    counts = {
        "stored": report.stored.total(),
        "updated": report.updated.total(),
        "unchanged": report.unchanged.total(),
        "refused": report.refused.total(),
    }
    if report.created:
        record(by, Act.PATIENT_REGISTERED, patient)
    record(by, Act.BUNDLE_IMPORTED, patient, detail=counts)
