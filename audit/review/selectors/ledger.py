"""The whole log, for privacy officers: a page at a time by the id, which is by time. Nothing is counted, nothing is skipped over.

Every filter has an index or is bounded: patient and actor have one each; act, outcome and purpose have one of the unusual
values, the usual ones being found at once; time is a range of ids, which leaves only its months' partitions. The others are
answered within a patient, an actor or `WIDEST`. A question that still takes longer than `PATIENCE` is given up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from psycopg.errors import QueryCanceled

from audit.ledger import Actor
from audit.ledger.ids import first_id_at
from audit.ledger.models import Entry, Leaf
from audit.review.errors import LookTooWide
from audit.review.selectors.entries import named
from telehealth.accounts.access import Action, Resource, gate

PAGE = 100
PATIENCE = "5s"
WIDEST = timedelta(days=31)
COLUMNS: Mapping[str, str] = {
    "patient": "record_id",
    "actor": "actor_id",
    "act": "act",
    "purpose": "purpose",
    "outcome": "outcome",
    "role": "role",
    "channel": "channel",
    "request": "cid",
}
UNINDEXED = frozenset({"role", "channel", "request"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries: all that is given must fit. `since` is the first instant, `until` the first that is too late."""

    patient: UUID | None = None
    actor: UUID | None = None
    act: str = ""
    purpose: str = ""
    outcome: str = ""
    role: str = ""
    channel: str = ""
    request: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def given(self) -> list[str]:
        """The names of what is given, sorted."""
        return sorted(each.name for each in fields(self) if getattr(self, each.name))

    @property
    def too_wide(self) -> bool:
        """Whether it would be looked for without an index over more than `WIDEST`."""
        within = bool(self.since and self.until and self.until - self.since <= WIDEST)
        return not UNINDEXED.isdisjoint(self.given()) and not (self.patient or self.actor or within)


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; `newer` and `older` are where to go on in either direction, None at an end."""

    entries: list[Entry]
    newer: UUID | None
    older: UUID | None


def entries(by: Actor, wanted: Wanted, *, before: UUID | None = None, after: UUID | None = None) -> Page:
    """One page: the newest, those right before an id, or those right after one. Raises LookTooWide."""
    if wanted.too_wide:
        raise LookTooWide
    found = matching(by, wanted)
    if after:
        rows = _fetch(found.filter(id__gt=after).order_by("id"))
        shown = rows[:PAGE][::-1]
        return Page(shown, shown[0].pk if len(rows) > PAGE else None, shown[-1].pk if shown else None)
    rows = _fetch(found.filter(id__lt=before) if before else found)
    shown = rows[:PAGE]
    return Page(shown, shown[0].pk if before and shown else None, shown[-1].pk if len(rows) > PAGE else None)


def matching(by: Actor, wanted: Wanted) -> QuerySet[Entry]:
    """All that fit, newest first, with `actor_name`; Refused for whoever may not see the log."""
    gate(by, Action.SEARCH, Resource.AUDIT_ENTRY)
    asked: dict[str, Any] = {column: getattr(wanted, name) for name, column in COLUMNS.items() if getattr(wanted, name)}
    if wanted.since:
        asked["id__gte"] = first_id_at(wanted.since)
    if wanted.until:
        asked["id__lt"] = first_id_at(wanted.until)
    return named(Entry.objects.filter(**asked)).defer("mac").order_by("-id")


def entry(by: Actor, pk: UUID) -> Entry | None:
    """One entry, if there is such."""
    return matching(by, Wanted()).filter(pk=pk).first()


def place_of(entry: Entry) -> int | None:
    """The entry's index in the tree; None while it is not sealed."""
    return Leaf.objects.filter(entry_id=entry.pk).values_list("leaf_index", flat=True).first()


def _fetch(found: QuerySet[Entry]) -> list[Entry]:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [PATIENCE])
            return list(found[: PAGE + 1])
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise LookTooWide from error
        raise
