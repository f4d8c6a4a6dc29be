"""Who waits, in the order in which they are served, and what could be offered to whom."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from audit.ledger import SYSTEM, Actor
from scheduling.models import WaitlistEntry, WaitlistOffer
from scheduling.selectors import licensure
from scheduling.selectors.offers import LONGEST_WINDOW, slots
from scheduling.spans import moment
from scheduling.statuses import OfferState, Status, WaitlistStatus
from telehealth.accounts.access import Action, Resource
from telehealth.core import now, one
from telehealth.records.access import visible
from telehealth.vault.models import SealedQuerySet

IN_ORDER = ("urgency", "created_at", "pk")
A_PAGE = 100


class Start(NamedTuple):
    """When, and with whom: in this order the earliest comes first."""

    at: datetime
    practitioner: UUID


def waitlist_for(by: Actor, *, status: str = "") -> SealedQuerySet[WaitlistEntry]:
    """The entries that this actor may see, in one state if given."""
    found = WaitlistEntry.objects.filter(visible(by, Action.SEARCH, Resource.WAITLIST))
    return (found.filter(status=status) if status else found).select_related("visit_type").prefetch_related("offers")


def waitlist_entry_for(by: Actor, pk: UUID, action: Action = Action.READ) -> WaitlistEntry:
    """One of them with its key, or Missing."""
    rows = WaitlistEntry.objects.with_keys().filter(visible(by, action, Resource.WAITLIST))
    return one(rows.select_related("visit_type").prefetch_related("offers"), pk)


def offer_of(by: Actor, pk: UUID) -> WaitlistOffer:
    """An offer made to somebody for whom this actor may answer, or Missing."""
    entries = WaitlistEntry.objects.filter(visible(by, Action.ACT, Resource.WAITLIST))
    return one(WaitlistOffer.objects.filter(entry__in=entries.values("pk")), pk)


def waiting_in_order(by: Actor) -> list[UUID]:
    """Everybody who waits, who comes first first; nobody for anybody but the system, as in the two below."""
    return list(_waiting().order_by(*IN_ORDER).values_list("pk", flat=True)) if by == SYSTEM else []


def waited_in_vain(by: Actor) -> list[UUID]:
    """Who waits for a time that is over."""
    return list(_waiting().filter(latest__lte=now()).values_list("pk", flat=True)) if by == SYSTEM else []


def offers_to_settle(by: Actor) -> list[UUID]:
    """Open offers whose held time is booked by now, or held no longer."""
    settled = WaitlistOffer.objects.filter(state=OfferState.OPEN).exclude(appointment__status=Status.PENDING)
    return list(settled.order_by("pk").values_list("pk", flat=True)) if by == SYSTEM else []


def before(entry: WaitlistEntry) -> "QuerySet[WaitlistEntry]":
    """Who waits, and is served before this one."""
    earlier = Q(urgency__lt=entry.urgency) | Q(urgency=entry.urgency, created_at__lt=entry.created_at)
    earlier |= Q(urgency=entry.urgency, created_at=entry.created_at, pk__lt=entry.pk)
    return _waiting().filter(earlier).select_related("visit_type").order_by(*IN_ORDER)


def _waiting() -> "QuerySet[WaitlistEntry]":
    return WaitlistEntry.objects.filter(status=WaitlistStatus.WAITING)


def fits(entry: WaitlistEntry, start: Start) -> bool:
    """Whether search offers them this very start, and nobody has before."""
    if entry.practitioner_id not in (None, start.practitioner) or not entry.earliest <= start.at < entry.latest:
        return False
    return start in starts_for(entry, since=start.at, until=start.at + timedelta(seconds=1))


def starts_for(entry: WaitlistEntry, since: datetime | None = None, until: datetime | None = None) -> Iterator[Start]:
    """Starts that search offers them, the earliest first; none that they were offered before."""
    current = now()
    begin = max(entry.earliest, since or current, current)
    end = min(entry.latest, until or entry.latest, current + timedelta(days=entry.visit_type.horizon_days))
    known = {Start(*pair) for pair in entry.offers.values_list("starts_at", "practitioner_id")}
    while begin < end and entry.visit_type.is_active:
        stop = min(end, begin + LONGEST_WINDOW)
        parts = [_offered(entry, begin, stop, part) for part in (entry.parts_of_day or [""])]
        yield from (start for start in merge(*parts) if start not in known)
        begin = stop


def _offered(entry: WaitlistEntry, since: datetime, until: datetime, part: str) -> Iterator[Start]:
    after = None
    while True:
        page = slots(
            SYSTEM,
            visit_type=entry.visit_type.code,
            since=since,
            until=until,
            practitioner_id=entry.practitioner_id,
            patient_id=entry.patient_id,
            zone=ZoneInfo(entry.timezone),
            state=entry.patient_state if licensure.is_enforced() else "",
            part_of_day=part,
            after=after,
            limit=A_PAGE,
        )
        yield from (Start(moment(at), UUID(int=who)) for at, who in page.offers)
        if (after := page.following) is None:
            return
