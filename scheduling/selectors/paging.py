"""Offers in order of time out of runs of starts: a page and the counts, without making a list of all."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from heapq import heapify, heappop, heapreplace
from zoneinfo import ZoneInfo

from scheduling.hours import instant
from scheduling.selectors.free import Run
from scheduling.spans import Span

Offer = tuple[int, int]
"""A start and the number of who offers it (`UUID.int`): the order of the list, and the mark from where it goes on."""


def first_offers(runs: Iterable[Run], step: int, after: Offer | None, most: int) -> list[Offer]:
    """The first `most` offers from the mark on, in order of start and provider."""
    waiting = [left for run in runs if (left := _from(run, step, after))]
    heapify(waiting)
    found: list[Offer] = []
    while waiting and len(found) < most:
        start, provider, count = waiting[0]
        found.append((start, provider))
        if count > 1:
            heapreplace(waiting, (start + step, provider, count - 1))
        else:
            heappop(waiting)
    return found


def _from(run: Run, step: int, after: Offer | None) -> tuple[int, int, int] | None:
    """What is left of a run from the mark on, by start first."""
    provider, first, count = run
    if after is None or (first, provider) >= after:
        return first, provider, count
    skipped = -(-(after[0] - first) // step)
    if (first + skipped * step, provider) < after:
        skipped += 1
    return (first + skipped * step, provider, count - skipped) if skipped < count else None


def per_day(runs: Iterable[Run], step: int, window: Span, zone: ZoneInfo) -> dict[str, int]:
    """How many offers start on each local day of the zone; days without any are left out."""
    days = _days(window, zone)
    begins = [begin for begin, _ in days]
    counts = [0] * len(days)
    for _, first, count in runs:
        at = bisect_right(begins, first) - 1
        while count:
            here = count if at + 1 == len(days) else min(count, max(0, -(-(begins[at + 1] - first) // step)))
            counts[at] += here
            first, count, at = first + here * step, count - here, at + 1
    return {day: count for (_, day), count in zip(days, counts, strict=True) if count}


def _days(window: Span, zone: ZoneInfo) -> Sequence[tuple[int, str]]:
    """When each local day begins that the window touches. A day that the zone skipped begins with the next, which wins."""
    first, last = (datetime.fromtimestamp(at, UTC).astimezone(zone).date() for at in window)
    dates = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [(instant(day, time.min, zone), day.isoformat()) for day in dates]
