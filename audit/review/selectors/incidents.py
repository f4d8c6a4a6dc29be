"""Incidents, and what the log says of whose records they could have touched."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

import orjson
from django.db.models import QuerySet

from audit.ledger import Act, Actor, whole
from audit.ledger.ids import first_id_after, first_id_at
from audit.ledger.models import Archive
from audit.review.batches import in_batches
from audit.review.breach import Duty, duties
from audit.review.kinds import RESOURCE, kinds_of
from audit.review.models import Affected, Conclusion, Incident
from audit.review.selectors.whole import Sought, archived_rows, readable
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.records.models import ClinicalResource, Patient

COLUMN = {"account": "actor_id", "session": "session", "client": "client"}
BATCH = 2000
NAMED = 10_000  # ids in one statement, which takes 65,535 parameters
Row = tuple[UUID, datetime, str, str]  # record, instant, act, detail


@dataclass(slots=True)
class Touched:
    """One record in the log between the incident's times."""

    first_at: datetime
    last_at: datetime
    entries: int = 0
    kinds: set[str] = field(default_factory=set)


def incidents_for(by: Actor, action: Action = Action.SEARCH) -> "QuerySet[Incident]":
    """All of them for who may see any."""
    return Incident.objects.all() if Scope.ALL in granted(by, action, Resource.INCIDENT) else Incident.objects.none()


def affected_by(by: Actor, incident: Incident) -> "QuerySet[Affected]":
    """The records that the last survey found."""
    return Affected.objects.filter(incident__in=incidents_for(by), incident=incident)


def sought_by(incident: Incident) -> Sought:
    """What was done as this account, session or app in the period, its last millisecond included. Refusals showed nothing."""
    columns = {COLUMN[incident.subject_kind]: incident.subject}
    return Sought(columns=columns, first=first_id_at(incident.starts_at), end=first_id_after(incident.ends_at), shown=True)


def touched_by(incident: Incident) -> dict[UUID, Touched]:
    """Record → what the log says of it, archived months included. Reads as a stream: what is kept is one small object per
    record. ArchiveUnavailable when a month cannot be read: nobody is passed over."""
    found: dict[UUID, Touched] = {}
    for batch in in_batches(_rows_of(sought_by(incident)), BATCH):
        types = types_of([detail for _, _, act, detail in batch if act == Act.RECORD_OPENED])
        for record_id, at, act, detail in batch:
            one = found.setdefault(record_id, Touched(at, at))
            one.first_at, one.last_at = min(one.first_at, at), max(one.last_at, at)
            one.entries += 1
            one.kinds |= _kinds(detail, types) if act == Act.RECORD_OPENED else {"activity"}
    return found


def _rows_of(sought: Sought) -> Iterator[Row]:
    with readable():
        yield from whole.through(sought.first, sought.end, partial(_stored, sought), partial(_archived, sought))


def _stored(sought: Sought, first: UUID, end: UUID) -> Iterator[Row]:
    rows = sought.stored().filter(id__gte=first, id__lt=end).order_by("id").values_list("record_id", "timestamp", "act", "detail")
    return rows.iterator(chunk_size=BATCH)


def _archived(sought: Sought, month: Archive) -> Iterator[Row]:
    for entry, _ in archived_rows(sought, month):
        yield UUID(entry["record_id"]), datetime.fromisoformat(entry["timestamp"]), entry["act"], entry["detail"]


def people_of(records: list[UUID]) -> dict[UUID, UUID]:
    """Record → the person's own record: duplicates are linked to it, and a person is counted once."""
    found = {each: each for each in records}
    for batch in in_batches(records, NAMED):
        links = Patient.objects.filter(pk__in=batch).values_list("pk", "link_id")
        found |= {pk: link or pk for pk, link in links}
    return found


def _kinds(detail: str, types: dict[str, str]) -> set[str]:
    kinds: set[str] = set()
    for thing, fields in orjson.loads(detail).items():
        label, _, pk = thing.partition(":")
        kinds |= kinds_of(label, fields, types.get(pk, ""))
    return kinds


def types_of(details: list[str]) -> dict[str, str]:
    """Id → FHIR type of the clinical resources among what was opened."""
    wanted = {key.partition(":")[2] for key in _keys(details) if key.startswith(f"{RESOURCE}:")}
    found: dict[str, str] = {}
    for batch in in_batches(wanted, NAMED):
        rows = ClinicalResource.objects.filter(pk__in=batch).values_list("pk", "type")
        found |= {str(pk): kind for pk, kind in rows}
    return found


def _keys(details: list[str]) -> Iterator[str]:
    for detail in details:
        yield from orjson.loads(detail)


def duties_of(incident: Incident) -> list[Duty]:
    """The notices owed: by the verdict once there is one, by the survey until then, for the clock does not wait for it."""
    if incident.people is None or incident.verdict not in ("", Conclusion.BREACH):
        return []
    counts = incident.counts or {}
    return duties(incident.people, counts.get("states", {}), incident.discovered_on, incident.delayed_until)
