"""Whether a start is one that search offers: what booking asks before it takes anybody's time."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from scheduling.errors import BeyondHorizon, DayFull, OutsideHours, StartMisaligned, TooSoon
from scheduling.models import Opening, VisitType
from scheduling.selectors.filling import full_days
from scheduling.slots import aligned, inside
from scheduling.spans import Span, moment, seconds
from telehealth.core import now
from telehealth.records.models import Practitioner

GRACE = timedelta(minutes=2)
"""Who was offered a start has this long to take it, though the lead time ran out meanwhile."""


def check_start(
    kind: VisitType, practitioner: Practitioner, starts_at: datetime, *, anywhere: bool = False, besides: UUID | None = None
) -> None:
    """Raise TooSoon, BeyondHorizon, OutsideHours, StartMisaligned or DayFull.

    `anywhere`, for overbooking, asks nothing of the provider's hours and days. `besides` is an appointment that is
    being moved: it does not fill the day that it leaves.
    """
    current = now()
    if starts_at < current + timedelta(minutes=kind.lead_minutes) - GRACE:
        raise TooSoon()
    if starts_at >= current + timedelta(days=kind.horizon_days):
        raise BeyondHorizon()
    if anywhere:
        return
    start = seconds(starts_at)
    opened, closed = openings_of(practitioner.pk, kind, kind.shape.visit(start))
    if not inside(opened, closed, kind.shape, start):
        raise OutsideHours()
    if starts_at.microsecond or not aligned(opened, kind.shape, start):
        raise StartMisaligned()
    if full_days(kind, Practitioner.objects.filter(pk=practitioner.pk), (start, start + 1), besides=besides):
        raise DayFull()


def openings_of(practitioner_id: UUID, kind: VisitType, window: Span) -> tuple[list[Span], list[Span]]:
    """What is open and what is closed for a visit type, as far as it touches the window. Whole, so that steps can be counted."""
    during = DateTimeTZRange(moment(window[0]), moment(window[1]))
    rows = Opening.objects.filter(Q(visit_type=None) | Q(visit_type=kind), practitioner_id=practitioner_id, during__overlap=during)
    spans: dict[bool, list[Span]] = {True: [], False: []}
    for opens, span in rows.values_list("opens", "during"):
        spans[opens].append((seconds(span.lower), seconds(span.upper)))
    return spans[True], spans[False]
