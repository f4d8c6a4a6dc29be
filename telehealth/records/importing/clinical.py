"""The resources of a record, in windows: found again in one query each, made in one statement each."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from audit.ledger import uuid7
from telehealth.core import now
from telehealth.records import labels
from telehealth.records.digests import digest
from telehealth.records.importing import reading
from telehealth.records.importing.kinds import ABOUT
from telehealth.records.importing.report import Report
from telehealth.records.importing.survey import Item
from telehealth.records.importing.writing import Resolve, plain, renamed, stamped
from telehealth.records.models import ClinicalResource, ClinicalResourceVersion, Patient
from telehealth.records.sensitive import clear_code

WINDOW = 200
T = TypeVar("T")
Pair = tuple[Item, dict[str, Any]]


def windows(things: Iterable[T], size: int = WINDOW) -> Iterator[list[T]]:
    """The things in lists of at most `size`."""
    rest = iter(things)
    while window := list(islice(rest, size)):
        yield window


def identify(items: list[Item], patient: Patient | None) -> None:
    """Give each item its id: of the resource we have under its identifier, else its address; or a new one."""
    if patient:
        _recognise(items, patient)
    for item in items:
        item.pk = item.pk or uuid7()


def _recognise(items: list[Item], patient: Patient) -> None:
    for window in windows(items, 1000):
        _find(window, patient, "identifier_key", lambda item: next(iter(item.identities), None))
    taken = {item.pk for item in items if item.pk}
    for window in windows([item for item in items if item.pk is None], 1000):
        _find(window, patient, "source_key", source_key)
        for item in window:
            if item.pk in taken:
                item.refused = "address_of_another"


def _find(items: list[Item], patient: Patient, column: str, name: Any) -> None:
    named = {found: item for item in items if (found := name(item)) is not None}
    held = ClinicalResource.objects.filter(patient=patient, **{f"{column}__in": list(named)})
    for key, pk, body_key, version in held.values_list(column, "pk", "body_key", "version"):
        item = named[bytes(key)]
        item.pk, item.known = pk, (bytes(body_key), version)


def source_key(item: Item) -> bytes:
    """By which a resource without identifiers is found again in its patient's record."""
    return digest("ClinicalResource.source", item.kind, item.url)


def store(window: list[Pair], patient: Patient, birth_date: str | None, resolve: Resolve, report: Report) -> None:
    """Make or change these resources and count what became of them."""
    made, changed = [], []
    for item, resource in window:
        if _is_anothers(resource, resolve, f"Patient/{patient.pk}"):
            report.refused[item.kind, "about_another_patient"] += 1
            continue
        body, columns = _read(item, resource, resolve, report)
        columns["labels"] = labels.tokens(patient.pk, labels.read(resource, birth_date))
        if item.known is None:
            report.stored[item.kind] += 1
            made.append(_new(item, patient, body, columns))
        elif item.known[0] == columns["body_key"]:
            report.unchanged[item.kind] += 1
        else:
            report.updated[item.kind] += 1
            changed.append((item, body, columns))
    ClinicalResource.objects.bulk_create(made)
    _change(changed)


def _read(item: Item, resource: dict[str, Any], resolve: Resolve, report: Report) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body under our ids, and the columns beside it."""
    body, lost = renamed(resource, resolve, item.our_id)
    read = reading.columns(resource)
    for reason in (*read.unreadable, *["unresolved_reference"] * bool(lost)):
        report.noted[item.kind, reason] += 1
    return body, {
        "category": read.category,
        "code_system": read.code_system,
        "code": clear_code(read.code_system, read.code),
        "status": read.status,
        "date": read.date,
        "body_key": digest("ClinicalResource.body", plain(body).decode()),
    }


def _new(item: Item, patient: Patient, body: dict[str, Any], columns: dict[str, Any]) -> ClinicalResource:
    return ClinicalResource(
        pk=item.our_id,
        patient=patient,
        type=item.kind,
        identifier_key=next(iter(item.identities), None),
        source_key=source_key(item),
        body=stamped(body, 1, now()),
        **columns,
    )


def _change(changed: list[tuple[Item, dict[str, Any], dict[str, Any]]]) -> None:
    """New versions; what the rows said before is kept."""
    locked = ClinicalResource.objects.select_for_update().filter(pk__in=[item.our_id for item, _, _ in changed]).order_by("pk")
    rows = {row.pk: row for row in locked} if changed else {}
    ClinicalResourceVersion.objects.bulk_create(
        ClinicalResourceVersion(resource=row, patient_id=row.patient_id, version=row.version, recorded_at=row.changed_at, body=row.body)
        for row in rows.values()
    )
    for item, body, columns in changed:
        row = rows[item.our_id]
        row.version += 1
        row.identifier_key = row.identifier_key or next(iter(item.identities), None)
        row.body = stamped(body, row.version, now())
        for name, value in columns.items():
            setattr(row, name, value)
        row.save()


def _is_anothers(resource: dict[str, Any], resolve: Resolve, own: str) -> bool:
    """Its subject is a patient, and not this one. A subject that is no patient (a place, a device) is nobody's."""
    named = (reading.text(resource, key, "reference") for key in ABOUT)
    return any(_is_patient(found := resolve(name) or name) and found != own for name in named if name)


def _is_patient(reference: str) -> bool:
    return reference.startswith(("Patient/", "Patient?", "urn:")) or "/Patient/" in reference
