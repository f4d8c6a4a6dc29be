"""Whether a start is one that search offers: what booking asks before it takes anybody's time."""

from datetime import datetime, timedelta

from scheduling.errors import BeyondHorizon, OutsideHours, StartMisaligned, TooSoon
from scheduling.hours import openings
from scheduling.models import VisitType
from scheduling.selectors.offers import hours_by_practitioner
from scheduling.slots import aligned, inside
from scheduling.spans import seconds
from telehealth.core import now
from telehealth.records.models import Practitioner

GRACE = timedelta(minutes=2)
"""Who was offered a start has this long to take it, though the lead time ran out meanwhile."""


def check_start(kind: VisitType, practitioner: Practitioner, starts_at: datetime, *, anywhere: bool) -> None:
    """Raise TooSoon, BeyondHorizon, OutsideHours or StartMisaligned; `anywhere`, for overbooking, asks nothing of the provider's hours."""
    current = now()
    if starts_at < current + timedelta(minutes=kind.lead_minutes) - GRACE:
        raise TooSoon()
    if starts_at >= current + timedelta(days=kind.horizon_days):
        raise BeyondHorizon()
    if anywhere:
        return
    start = seconds(starts_at)
    found = openings(hours_by_practitioner(practitioner.pk).get(practitioner.pk, []), kind.shape.visit(start))
    if not inside(found, kind.shape, start):
        raise OutsideHours()
    if starts_at.microsecond or not aligned(found, kind.shape, start):
        raise StartMisaligned()
