"""Taking out what the review holds: with a fresh factor, on record, and as a disclosure of everybody whom it names,
committed before the part that names them leaves."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.ledger import Act, Actor, record, uuid7
from audit.ledger.entries import COLUMNS, TIME_FORMAT
from audit.ledger.ids import first_id_at
from audit.ledger.models import Entry
from audit.review import rules, selectors
from audit.review.batches import in_batches
from audit.review.exports import balp, flat
from audit.review.models import Affected, Basis, Disclosure, Incident
from audit.review.services.disclosing import Leaving, Recipient, account_for, disclose_all, hand_over
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.factors import require_export
from telehealth.core import one, permit
from telehealth.records.access import visible
from telehealth.records.models import Patient

BATCH = 500
CSV, NDJSON, FHIR = "csv", "ndjson", "fhir"
TYPES = {CSV: "text/csv; charset=utf-8", NDJSON: "application/x-ndjson", FHIR: "application/fhir+ndjson"}
ENTRY = (*COLUMNS, "actor_name", "mac")
AFFECTED = ("patient", "state", "first_at", "last_at", "entries", "kinds", "family", "given", "address", "email")
LINE = ("id", "at", "recipient", "address", "what", "purpose", "basis", "listed", "source_kind", "source_id")
Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Purpose:
    """To whom an export goes and by what right."""

    recipient: Recipient
    purpose: str
    basis: Basis = Basis.OPERATIONS


@dataclass(frozen=True)
class Export:
    """What leaves: `content` is read once, while the audit unit is open."""

    format: str
    content: Iterator[bytes]
    id: UUID = field(default_factory=uuid7)

    @property
    def content_type(self) -> str:
        return TYPES[self.format]

    @property
    def name(self) -> str:
        return f"{self.id}.{'csv' if self.format == CSV else 'ndjson'}"


@transaction.atomic
def export_entries(*, format: str, filters: Mapping[str, Any], going: Purpose, by: Actor) -> Export:
    """The log's entries that fit all filters (patient, actor, session, client, act, starts_at, ends_at), archived ones
    included, oldest month first. ArchiveUnavailable when one cannot be opened; the stream breaks when one ends too early."""
    require_export(by)
    permit(by, rules.may_export_entries, None)
    export, sought = uuid7(), _sought(filters)
    selectors.at_hand(sought)
    record(by, Act.AUDIT_EXPORTED, detail={"export": str(export), "of": "entries", "format": format, "filters": sorted(filters)})
    return Export(format, _entries(sought, format, _leaving(export, going, "Entries of the audit log"), by), export)


@transaction.atomic
def export_incident(*, incident_id: UUID, format: str, going: Purpose, by: Actor, contact: bool = False) -> Export:
    """Everyone affected, as the last survey found them, with name and address where `contact` asks for the letters;
    in FHIR the entries themselves."""
    require_export(by)
    incident = one(selectors.incidents_for(by, Action.EXPORT), incident_id)
    export, sought = uuid7(), selectors.sought_by(incident)
    if format == FHIR:
        selectors.at_hand(sought)
    leaving = _leaving(export, going, "That the record was affected by an incident")
    detail = {"export": str(export), "of": "incident", "format": format, "contact": contact}
    record(by, Act.AUDIT_EXPORTED, incident, detail=detail)
    if format == FHIR:
        return Export(format, _entries(sought, format, leaving, by), export)
    return Export(format, _affected(incident, format, leaving, by, contact), export)


@transaction.atomic
def export_accounting(
    *, patient_id: UUID, format: str, by: Actor, starts_at: datetime | None = None, ends_at: datetime | None = None, complete: bool = False
) -> Export:
    """An accounting to take along. It does not list itself."""
    require_export(by)
    one(Patient.objects.filter(visible(by, Action.EXPORT, Resource.DISCLOSURE, "")).only("pk"), patient_id)
    told = account_for(patient_id=patient_id, by=by, starts_at=starts_at, ends_at=ends_at, complete=complete)
    export = uuid7()
    record(by, Act.AUDIT_EXPORTED, record_id=patient_id, detail={"export": str(export), "of": "accounting", "format": format})
    hand_over(patient_id=patient_id, what="Accounting of disclosures", by=by)
    return Export(format, _lines(told.lines, format), export)


def _leaving(export: UUID, going: Purpose, what: str) -> Leaving:
    return Leaving(going.recipient, what, going.purpose, Basis(going.basis), "review.Export", export)


def _sought(filters: Mapping[str, Any]) -> selectors.Sought:
    names = {"patient": "record_id", "actor": "actor_id", "session": "session", "client": "client", "act": "act"}
    sought = selectors.Sought(columns={names[key]: str(value) for key, value in filters.items() if key in names})
    if "starts_at" in filters:
        sought = replace(sought, first=first_id_at(filters["starts_at"]))
    return replace(sought, end=first_id_at(filters["ends_at"])) if "ends_at" in filters else sought


def _entries(sought: selectors.Sought, format: str, leaving: Leaving, by: Actor) -> Iterator[bytes]:
    """Page by page, up to the export's own beginning: it does not run after the entries that it makes itself."""
    told, head = set[UUID](), True
    for page in selectors.pages(replace(sought, end=min(sought.end, leaving.source_id))):
        fresh = {entry.record_id for entry in page if entry.record_id is not None} - told
        _tell(fresh, leaving, by)
        told |= fresh
        yield _written(page, format, head)
        head = False
    if head and format == CSV:
        yield flat.csv_lines(ENTRY, [], head=True)


def _written(page: list[Entry], format: str, head: bool) -> bytes:
    if format == FHIR:
        types = selectors.types_of([entry.detail for entry in page if entry.act == Act.RECORD_OPENED])
        return flat.ndjson_lines(chain.from_iterable(balp.events(entry, _site(), types) for entry in page))
    return _flat(format, ENTRY, map(_entry, page), head)


def _entry(entry: Entry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in ENTRY}
    at = entry.timestamp.strftime(TIME_FORMAT)
    return {**row, "timestamp": at, "mac": bytes(entry.mac).hex(), **{name: _text(row[name]) for name in ("id", "actor_id", "record_id")}}


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _affected(incident: Incident, format: str, leaving: Leaving, by: Actor, contact: bool) -> Iterator[bytes]:
    columns = AFFECTED if contact else AFFECTED[:6]
    head = True
    for batch in in_batches(incident.affected.order_by("pk").values_list("pk", flat=True), BATCH):
        rows = list(Affected.objects.filter(pk__in=batch).order_by("pk"))
        _tell({row.patient_id for row in rows}, leaving, by)
        people = {each.pk: each for each in Patient.objects.filter(pk__in=[row.patient_id for row in rows])} if contact else {}
        yield _flat(format, columns, (_person(row, people.get(row.patient_id)) for row in rows), head)
        head = False
    if head and format == CSV:
        yield flat.csv_lines(columns, [], head=True)


def _person(row: Affected, patient: Patient | None) -> dict[str, Any]:
    told = {"patient": str(row.patient_id), "first_at": row.first_at, "last_at": row.last_at, "entries": row.entries}
    names = AFFECTED[6:] if patient is not None else ()
    return (
        told
        | {name: selectors.readable(row, name) for name in ("state", "kinds")}
        | {name: selectors.readable(patient, name) for name in names}
    )


def _lines(lines: list[Disclosure], format: str) -> Iterator[bytes]:
    if format == FHIR:
        yield flat.ndjson_lines(balp.disclosed(each, _site()) for each in lines)
    else:
        yield _flat(format, LINE, map(_line, lines), True)


def _line(row: Disclosure) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "at": row.at,
        "recipient": row.recipient.get("name", ""),
        "address": row.recipient.get("address", ""),
        "what": row.what,
        "purpose": row.purpose,
        "basis": row.basis,
        "listed": row.is_listed,
        "source_kind": row.source_kind,
        "source_id": _text(row.source_id),
    }


def _flat(format: str, columns: Iterable[str], rows: Rows, head: bool) -> bytes:
    return flat.csv_lines(columns, rows, head=head) if format == CSV else flat.ndjson_lines(rows)


def _tell(patients: set[UUID], leaving: Leaving, by: Actor) -> None:
    disclose_all(patient_ids=selectors.keyed(sorted(patients)), leaving=leaving, by=by)


def _site() -> balp.Site:
    return balp.Site(origin=urlsplit(settings.PUBLIC_URL).netloc, url=settings.PUBLIC_URL)
