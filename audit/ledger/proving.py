"""Proofs about the log: where an entry stands, and that one checkpoint continues another.

Made from the database's leaf table (which place) and the published tiles (the hashes), so that what a patient takes
home is proved against what the sealer published, not against what the database says today.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import nsmallest
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from audit.ledger.archives import entries_in, entry_of
from audit.ledger.entries import text_sql
from audit.ledger.ids import uuid7
from audit.ledger.models import Archive
from audit.ledger.whole import FIRST, through
from audit.tlog.notes import BadCheckpoint, Head, opened
from audit.tlog.proofs import consistency, inclusion
from audit.tlog.reading import TileReader, Unpublished

FORMAT = "telehealth.audit/1"
PAGE = 500
ARCHIVED_PAGE = 2_000  # of one record in one month: how many are sorted in memory at a time

_ROW = f"SELECT e.id, {text_sql('e')}, e.mac, l.leaf_index FROM audit_entry e LEFT JOIN audit_leaf l ON l.entry_id = e.id"  # noqa: S608  # our own names
_ONE = f"{_ROW} WHERE e.id = %s"
_OF_RECORD = f"{_ROW} WHERE e.record_id = %s AND e.id >= %s AND e.id < %s ORDER BY e.id LIMIT {PAGE}"
_NEWEST_OF_RECORD = "SELECT id FROM audit_entry WHERE record_id = %s ORDER BY id DESC LIMIT 1"
_NOTE = "SELECT note FROM audit_checkpoint WHERE tree_size = %s"


class NotPublished(Exception):
    """The sealer has not published what a proof needs: it has not run yet, or its files are not here."""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry's canonical text and MAC, and its place in the tree; None while it waits for the sealer."""

    id: UUID
    text: str
    mac: bytes
    index: int | None


class Prover:
    """Makes proofs under the newest published checkpoint; NotPublished when there is none."""

    def __init__(self, reader: TileReader | None = None) -> None:
        self.reader = reader or TileReader(settings.AUDIT_CHECKPOINTS)
        try:
            self.note, self.public_key = self.reader.checkpoint(), self.reader.public_key()
            self.head = self._opened(self.note)
        except (Unpublished, BadCheckpoint, ValueError) as error:
            raise NotPublished("no checkpoint of this log is published") from error

    def header(self, kind: str, **more: Any) -> dict[str, Any]:
        """What a document begins with."""
        return {"format": FORMAT, "kind": kind, "checkpoint": self.note, "public_key": self.public_key.hex(), **more}

    def path(self, place: Place) -> list[str] | None:
        """The inclusion proof in base64, None while the entry is not under the checkpoint."""
        if place.index is None or place.index >= self.head.size:
            return None
        try:
            return _coded(inclusion(place.index, self.head.size, self.reader.nodes(self.head.size)))
        except Unpublished as error:
            raise NotPublished(str(error)) from error

    def between(self, first: int, second: int | None = None) -> dict[str, Any] | None:
        """The document that the checkpoint of `second` leaves (the newest) continues that of `first`; None for sizes
        without a checkpoint."""
        older, newer = note_of(first), self.note if second is None else note_of(second)
        if not older or not newer:
            return None
        old, new = self._opened(older), self._opened(newer)
        if old.size > new.size:
            return None
        try:
            proof = _coded(consistency(old.size, new.size, self.reader.nodes(new.size)))
        except Unpublished as error:
            raise NotPublished(str(error)) from error
        return {**self.header("consistency"), "checkpoint": newer, "older": older, "proof": proof}

    def _opened(self, note: str) -> Head:
        return opened(note, settings.AUDIT_ORIGIN, self.public_key)


def place_of(entry_id: UUID) -> Place | None:
    """One entry and its place; it may be kept in an archive."""
    found = next(iter(_places(_ONE, [entry_id])), None)
    if found:
        return found
    row = entry_of(entry_id)
    return Place(entry_id, row.text.decode(), row.mac, row.leaf) if row else None


def places_of_record(record_id: UUID) -> Iterator[list[Place]]:
    """Every entry about one record that is there now, archived ones included, by pages, in the order of the ids.

    Raises ArchiveBroken and ArchiveUnreachable.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_OF_RECORD, [record_id])
        newest = cursor.fetchone()
    end = UUID(int=newest[0].int + 1) if newest else uuid7()
    yield from through(FIRST, end, partial(_stored_of, record_id), partial(_archived_of, record_id))


def _stored_of(record_id: UUID, first: UUID, end: UUID) -> Iterator[list[Place]]:
    while page := _places(_OF_RECORD, [record_id, first, end]):
        yield page
        first = UUID(int=page[-1].id.int + 1)


def _archived_of(record_id: UUID, month: Archive) -> Iterator[list[Place]]:
    """An archive is in the order of the tree, which late commits are out of. Sorted in bounded memory: a month that has more
    about one record than a page is read once for each page."""
    needle = f'"record_id":"{record_id}"'.encode()  # cannot stand within a value, where quotes are escaped
    first = FIRST
    while True:
        found = (Place(row.entry_id, row.text.decode(), row.mac, row.leaf) for row in entries_in(month) if needle in row.text)
        page = nsmallest(ARCHIVED_PAGE, (place for place in found if place.id >= first), key=attrgetter("id"))
        for at in range(0, len(page), PAGE):
            yield page[at : at + PAGE]
        if len(page) < ARCHIVED_PAGE:
            return
        first = UUID(int=page[-1].id.int + 1)


def note_of(size: int) -> str:
    """The signed checkpoint of that size, or nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [size])
        row = cursor.fetchone()
    return row[0] if row else ""


def published() -> tuple[int, str]:
    """The newest published checkpoint, its size first; (0, "") without one."""
    try:
        prover = Prover()
    except NotPublished:
        return 0, ""
    return prover.head.size, prover.note


def _places(sql: str, parameters: Sequence[Any]) -> list[Place]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [Place(row[0], row[1], bytes(row[2]), row[3]) for row in cursor.fetchall()]


def _coded(path: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(each).decode() for each in path]
