"""Reading the log for detectors: in the order of its leaves, so that each sealed entry is met exactly once.

A leaf is written when its entry has been committed and its MAC holds. Late commits get later leaves, so that a number
is all that must be remembered.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings
from django.db import connection

from audit.ledger import Act
from audit.review.models import REVIEW
from telehealth.accounts.access import Role

BATCH = 5_000
EMERGENCY = frozenset({"BTG", "ETREAT"})  # v3 ActReason: break the glass, emergency treatment
STAFF = frozenset(Role) - {Role.PATIENT, Role.PROXY}

_LEAVES = "SELECT entry_id FROM audit_leaf WHERE leaf_index >= %s AND leaf_index < %s ORDER BY leaf_index"
# By id and between the smallest and the largest of them, so that only their months are looked into: a join would scan all.
_ENTRIES = """
    SELECT id, "timestamp", act, outcome, actor_id, role, record_id, purpose, cid, detail
    FROM audit_entry WHERE id = ANY(%s) AND id BETWEEN %s AND %s
"""


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody opened a record, or acted on it in an emergency."""

    entry_id: UUID
    at: datetime
    actor: UUID
    role: str
    record: UUID
    purpose: str
    cid: str
    kinds: frozenset[str]

    @property
    def day(self) -> date:
        """The clinic's day."""
        return self.at.astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)).date()

    @property
    def is_emergency(self) -> bool:
        return self.purpose in EMERGENCY

    @property
    def is_by_staff(self) -> bool:
        return self.role in STAFF

    @property
    def is_oversight(self) -> bool:
        """Only what the review itself keeps was opened: somebody reads the notes of a finding."""
        return bool(self.kinds) and all(kind.startswith("review.") for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Pair:
    """All looks of one actor at one record on one day, by the first of them."""

    first: Look
    last_entry_id: UUID


def read(first: int, until: datetime) -> tuple[list[Look], int]:
    """Looks in at most BATCH leaves from `first` on, and the leaf to go on from; stops at an entry that is younger than `until`."""
    looks: list[Look] = []
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES, [first, first + BATCH])
        ids: list[UUID] = [entry_id for (entry_id,) in cursor.fetchall()]
        if not ids:
            return looks, first
        cursor.execute(_ENTRIES, [ids, min(ids), max(ids)])
        entries = {row[0]: row for row in cursor.fetchall()}
    for leaf, entry_id in enumerate(ids, start=first):
        if entry := entries.get(entry_id):  # else its month has been archived
            if entry[1] > until:
                return looks, leaf
            looks += _look(*entry)
    return looks, first + len(ids)


def _look(*values: object) -> Iterator[Look]:
    entry_id, at, act, outcome, actor, role, record, purpose, cid, detail = values
    opened = act == Act.RECORD_OPENED
    counts = opened or (purpose in EMERGENCY and outcome == "ok")
    if counts and actor is not None and record is not None and record != REVIEW:
        kinds = frozenset(key.partition(":")[0] for key in orjson.loads(str(detail))) if opened else frozenset()
        yield Look(entry_id, at, actor, str(role), record, str(purpose), str(cid), kinds)  # type: ignore[arg-type]  # as the columns are


def pairs(looks: Iterable[Look]) -> list[Pair]:
    """One for each actor, record and day, in order."""
    found: dict[tuple[UUID, UUID, date], list[Look]] = {}
    for look in looks:
        found.setdefault((look.actor, look.record, look.day), []).append(look)
    return [Pair(group[0], max(look.entry_id for look in group)) for group in found.values()]
