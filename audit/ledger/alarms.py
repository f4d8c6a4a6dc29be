"""What must not wait until somebody looks: forged entries, a rolled-back database, a sealer that lags.

Each goes on record once, in the transaction of who found it, and to whom `settings.AUDIT_ALARM` tells:
a function `(kind, about_id)` that config names. A notice that fails stops nothing.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils.module_loading import import_string

from audit.ledger.actor import SYSTEM
from audit.ledger.acts import Act
from audit.ledger.entries import detail_text
from audit.ledger.ids import first_id_at, uuid7
from audit.ledger.models import Entry
from audit.ledger.units import unit, write

log = structlog.get_logger(__name__)
Tell = Callable[[str, UUID], None]
QUIET = timedelta(minutes=5)  # between two notices of one kind; every finding is on record
EPISODE = timedelta(hours=1)  # a lag that goes on is told again after this


def forgeries_found(ids: Sequence[UUID]) -> None:
    """These entries carry no valid MAC and stay out of the tree."""
    if new := sorted(set(ids) - _known(ids)):
        log.error("entries without a valid MAC were not sealed", count=len(new))
        with unit(SYSTEM, channel="command", purpose="HOPERAT", reason="seal_audit") as here:
            label = Entry._meta.label
            write(here, [here.row(Act.LEDGER_FORGERY_FOUND, outcome="failed", kind=label, object_pk=str(one)) for one in new])
        _tell("forgery_found", new[0])


def fork_found(published: int, stored: int) -> None:
    """The database does not lead on from what was published."""
    _once("fork_found", Act.LEDGER_FORK_FOUND, {"published": published, "stored": stored}, f"{published}:{stored}")


def lag_found(seconds: float) -> None:
    """Nothing has been sealed for so long."""
    _once("lag_found", Act.LEDGER_LAG_FOUND, {"seconds": int(seconds)}, "")


def restored(published: int, stored: int) -> None:
    """Somebody decided that the database goes on from a backup; what was published beyond it is set aside."""
    with unit(SYSTEM, channel="command", purpose="HOPERAT", reason="seal_audit") as here:
        write(here, [here.row(Act.LEDGER_RESTORED, detail=detail_text({"published": published, "stored": stored}))])


def _once(kind: str, act: Act, detail: dict[str, int], episode: str) -> None:
    """An episode is on record once, and once an hour while it lasts."""
    if not _first(f"audit:{kind}:{episode}", EPISODE):
        return
    log.error("the audit log needs somebody", kind=kind)
    with unit(SYSTEM, channel="command", purpose="HOPERAT", reason="seal_audit") as here, transaction.atomic():
        write(here, [here.row(act, outcome="failed", detail=detail_text(detail))])
        _tell(kind, uuid7())


def _first(key: str, within: timedelta) -> bool:
    """Whether this is the first time; without a cache it always is."""
    try:
        return cache.add(key, 1, within.total_seconds())
    except Exception:  # noqa: BLE001  # any backend's own kind
        return True


def _known(ids: Sequence[UUID]) -> set[UUID]:
    """Those of them that are on record already. Findings are younger than what they found, which bounds the search."""
    if not ids:
        return set()
    found = Entry.objects.filter(act=Act.LEDGER_FORGERY_FOUND, object_pk__in=[str(one) for one in ids])
    earliest = min(ids)
    if earliest < first_id_at(datetime.now(UTC) - QUIET):  # else its id may be of the future, which only an owner can write
        found = found.filter(id__gt=earliest)
    elif earliest < first_id_at(datetime.now(UTC) + QUIET):
        found = found.filter(id__gt=first_id_at(datetime.now(UTC) - 2 * QUIET))
    return {UUID(pk) for pk in found.values_list("object_pk", flat=True)}


def _tell(kind: str, about: UUID) -> None:
    if not settings.AUDIT_ALARM:
        return
    try:
        if _first(f"audit:told:{kind}", QUIET):
            with transaction.atomic():
                tell: Tell = import_string(settings.AUDIT_ALARM)
                tell(kind, about)
    except Exception:  # whatever is wrong with notices, sealing goes on
        log.exception("nobody could be told")
