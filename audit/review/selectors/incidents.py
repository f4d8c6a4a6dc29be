"""Incidents, and what the log says of whose records they could have touched."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from uuid import UUID

import orjson
from django.db.models import QuerySet

from audit.ledger import Act, Actor
from audit.ledger.archives import ArchiveBroken, ArchiveUnreachable, archives, entries_in
from audit.ledger.ids import first_id_after, first_id_at
from audit.ledger.models import Archive, Entry
from audit.review.batches import in_batches
from audit.review.breach import Duty, duties
from audit.review.errors import ArchiveUnavailable
from audit.review.kinds import RESOURCE, kinds_of
from audit.review.models import Affected, Conclusion, Incident
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.records.models import ClinicalResource, Patient

COLUMN = {"account": "actor_id", "session": "session", "client": "client"}
BATCH = 2000
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


def entries_of(incident: Incident) -> "QuerySet[Entry]":
    """What was done as this account, session or app in the period, its last millisecond included. Refusals showed nothing."""
    found: QuerySet[Entry] = Entry.objects.filter(
        id__gte=first_id_at(incident.starts_at),
        id__lt=first_id_after(incident.ends_at),
        **{COLUMN[incident.subject_kind]: incident.subject},
    )
    return found.exclude(outcome="refused").exclude(record_id=None)


def touched_by(incident: Incident) -> dict[UUID, Touched]:
    """Record → what the log says of it, archived months included. Reads as a stream: what is kept is one small object per
    record. ArchiveUnavailable when a month cannot be read: nobody is passed over."""
    found: dict[UUID, Touched] = {}
    for batch in in_batches(chain(archived_of(incident), _rows_of(incident)), BATCH):
        types = types_of([detail for _, _, act, detail in batch if act == Act.RECORD_OPENED])
        for record_id, at, act, detail in batch:
            one = found.setdefault(record_id, Touched(at, at))
            one.first_at, one.last_at = min(one.first_at, at), max(one.last_at, at)
            one.entries += 1
            one.kinds |= _kinds(detail, types) if act == Act.RECORD_OPENED else {"activity"}
    return found


def _rows_of(incident: Incident) -> Iterator[Row]:
    rows = entries_of(incident).order_by("id").values_list("record_id", "timestamp", "act", "detail")
    return rows.iterator(chunk_size=BATCH)


def archived_of(incident: Incident) -> Iterator[Row]:
    """The same of the months that lie in archives, in the order of the tree."""
    first, end = first_id_at(incident.starts_at), first_id_after(incident.ends_at)
    wanted = {COLUMN[incident.subject_kind]: incident.subject}
    try:
        for month in archives():
            if month.begins < end and month.ends > first:
                for entry in _entries_that_left(month):
                    if first <= UUID(entry["id"]) < end and entry["record_id"] and _showed(entry, wanted):
                        yield UUID(entry["record_id"]), datetime.fromisoformat(entry["timestamp"]), entry["act"], entry["detail"]
    except (ArchiveBroken, ArchiveUnreachable) as error:
        raise ArchiveUnavailable from error


def _entries_that_left(month: Archive) -> Iterator[dict[str, str]]:
    """Nothing, where an archive was made and its month has not been detached yet: it is read in its place."""
    if not Entry.objects.filter(id__gte=month.begins, id__lt=month.ends).exists():
        yield from (orjson.loads(row.text) for row in entries_in(month))


def _showed(entry: dict[str, str], wanted: dict[str, str]) -> bool:
    return entry["outcome"] != "refused" and all(entry[name] == value for name, value in wanted.items())


def people_of(records: list[UUID]) -> dict[UUID, UUID]:
    """Record → the person's own record: duplicates are linked to it, and a person is counted once."""
    links = Patient.objects.filter(pk__in=records).values_list("pk", "link_id")
    return {each: each for each in records} | {pk: link or pk for pk, link in links}


def _kinds(detail: str, types: dict[str, str]) -> set[str]:
    kinds: set[str] = set()
    for thing, fields in orjson.loads(detail).items():
        label, _, pk = thing.partition(":")
        kinds |= kinds_of(label, fields, types.get(pk, ""))
    return kinds


def types_of(details: list[str]) -> dict[str, str]:
    """Id → FHIR type of the clinical resources among what was opened."""
    wanted = {key.partition(":")[2] for key in _keys(details) if key.startswith(f"{RESOURCE}:")}
    rows = ClinicalResource.objects.filter(pk__in=wanted).values_list("pk", "type")
    return {str(pk): kind for pk, kind in rows}


def _keys(details: list[str]) -> Iterator[str]:
    for detail in details:
        yield from orjson.loads(detail)


def duties_of(incident: Incident) -> list[Duty]:
    """The notices owed: by the verdict once there is one, by the survey until then, for the clock does not wait for it."""
    if incident.people is None or incident.verdict not in ("", Conclusion.BREACH):
        return []
    counts = incident.counts or {}
    return duties(incident.people, counts.get("states", {}), incident.discovered_on, incident.delayed_until)
