"""How the log is doing: for the panel, for monitoring, and for whoever asks over REST. Cheap at any size."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from audit.ledger.actor import SYSTEM
from audit.ledger.acts import Act
from audit.ledger.models import Checkpoint, Entry
from audit.ledger.sealing import lag_seconds
from audit.ledger.units import record, unit

MOST_COUNTED = 10_000
# A look at the leaf's index for each entry, whatever the planner believes: joined, all leaves would be read.
_UNSEALED = """
    SELECT count(*) FROM (
        SELECT FROM audit_entry e
        WHERE e.xid >= COALESCE((SELECT mark FROM audit_checkpoint ORDER BY tree_size DESC LIMIT 1), '0')::xid8
          AND (SELECT l.entry_id FROM audit_leaf l WHERE l.entry_id = e.id) IS NULL
        LIMIT %s) AS waiting
"""


@dataclass(frozen=True, slots=True)
class Verification:
    """What the last `verify_audit` found."""

    at: datetime
    ok: bool
    size: int
    damages: int
    first: str  # kind of the first damage, empty when there is none


@dataclass(frozen=True, slots=True)
class Status:
    """The newest checkpoint, what waits to be sealed (counted up to MOST_COUNTED) and for how long, the last verification."""

    size: int
    root: str
    sealed_at: datetime | None
    lag: float
    unsealed: int
    verification: Verification | None


def status() -> Status:
    """As of now."""
    newest = Checkpoint.objects.order_by("-tree_size").only("tree_size", "root", "made_at").first()
    return Status(
        size=newest.tree_size if newest else 0,
        root=bytes(newest.root).hex() if newest else "",
        sealed_at=newest.made_at if newest else None,
        lag=lag_seconds(),
        unsealed=_unsealed(),
        verification=last_verification(),
    )


def last_verification() -> Verification | None:
    """The newest result that `verify_audit` put on record."""
    found = Entry.objects.filter(act=Act.LEDGER_VERIFIED).order_by("-id").first()
    if found is None:
        return None
    detail: dict[str, Any] = orjson.loads(found.detail)
    return Verification(found.timestamp, found.outcome == "ok", detail["size"], detail["damages"], detail["first"])


def keep_verification(*, size: int, damages: int, first: str = "") -> None:
    """The result of a verification, as an entry of its own; EntryNotWritten where nothing can be written."""
    with unit(SYSTEM, channel="command", purpose="HOPERAT", reason="verify_audit"):
        detail = {"size": size, "damages": damages, "first": first}
        record(SYSTEM, Act.LEDGER_VERIFIED, outcome="failed" if damages else "ok", detail=detail)


def _unsealed() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_UNSEALED, [MOST_COUNTED])
        return int(cursor.fetchone()[0])
