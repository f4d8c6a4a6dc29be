"""Entries for taking out and for counting: of the whole log, archived months included, as a stream."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from audit.ledger import whole
from audit.ledger.archives import ArchiveBroken, Archived, ArchiveUnreachable, entries_in
from audit.ledger.models import Archive, Entry
from audit.review.batches import in_batches
from audit.review.errors import ArchiveUnavailable
from audit.review.selectors.entries import named

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which entries, wherever they lie: `columns` have these values as text, ids are from `first` on and before `end`;
    `shown`: only what showed a record to somebody, which a refusal did not."""

    columns: Mapping[str, str]
    first: UUID = whole.FIRST
    end: UUID = whole.END
    shown: bool = False

    def stored(self) -> "QuerySet[Entry]":
        """Those in the database."""
        found: QuerySet[Entry] = Entry.objects.filter(id__gte=self.first, id__lt=self.end, **self.columns)
        return found.exclude(outcome="refused").exclude(record_id=None) if self.shown else found

    def fits(self, entry: Mapping[str, Any]) -> bool:
        """Whether an archived entry, by its canonical text, is one of them."""
        if self.shown and (entry["outcome"] == "refused" or entry["record_id"] is None):
            return False
        return self.first <= UUID(entry["id"]) < self.end and all(entry[name] == value for name, value in self.columns.items())


@contextmanager
def readable() -> Iterator[None]:
    """ArchiveUnavailable for whatever is wrong with an archive."""
    try:
        yield
    except (ArchiveBroken, ArchiveUnreachable) as error:
        raise ArchiveUnavailable from error


def at_hand(sought: Sought) -> None:
    """ArchiveUnavailable now, rather than in the middle of a stream, where an archive cannot be opened."""
    with readable():
        whole.at_hand(sought.first, sought.end)


def pages(sought: Sought) -> Iterator[list[Entry]]:
    """All of them with `actor_name`, a batch at a time: month after month, an archived one in the order of the tree."""
    with readable():
        yield from whole.through(sought.first, sought.end, partial(_stored, sought), partial(_archived, sought))


def archived_rows(sought: Sought, month: Archive) -> Iterator[tuple[dict[str, Any], Archived]]:
    """(columns as text, the row) of the entries of an archived month that fit."""
    for row in entries_in(month):
        entry = orjson.loads(row.text)
        if sought.fits(entry):
            yield entry, row


def _stored(sought: Sought, first: UUID, end: UUID) -> Iterator[list[Entry]]:
    while page := list(named(sought.stored()).filter(id__gte=first, id__lt=end).order_by("id")[:BATCH]):
        yield page
        first = UUID(int=page[-1].pk.int + 1)


def _archived(sought: Sought, month: Archive) -> Iterator[list[Entry]]:
    for batch in in_batches((_entry(values, row.mac) for values, row in archived_rows(sought, month)), BATCH):
        actors = {entry.actor_id for entry in batch if entry.actor_id}
        names: dict[UUID | None, str] = dict(get_user_model().objects.filter(pk__in=actors).values_list("pk", "name"))
        for entry in batch:
            entry.actor_name = names.get(entry.actor_id, "")
        yield batch


def _entry(values: dict[str, Any], code: bytes) -> Entry:
    ids = {name: UUID(values[name]) if values[name] else None for name in ("id", "actor_id", "record_id")}
    return Entry(**values | ids | {"timestamp": datetime.fromisoformat(values["timestamp"]), "mac": code})
