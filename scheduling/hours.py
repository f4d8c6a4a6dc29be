"""Hours on a wall clock turned into spans of real time, right on days of 23 and 25 hours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import available_timezones

from scheduling.recurrence import days
from scheduling.spans import Span

DAY = timedelta(days=1)
ZONES = frozenset(available_timezones())
"""Names of the IANA database as it was when the process started."""


@dataclass(frozen=True)
class Hours:
    """Open on the days of an RFC 5545 rule from `starts` to `ends` by the clocks of `zone`; an end at 00:00 is midnight at the day's end.

    In force from `valid_from`, from which the rule counts, to `valid_to`, both days included; None is without end.
    """

    rrule: str
    starts: time
    ends: time
    zone: tzinfo
    valid_from: date | None = None
    valid_to: date | None = None

    def days(self, first: date, last: date) -> Iterator[date]:
        """The days on which they are in force, between two days that both count."""
        return days(self.rrule, self.valid_from, first, min(last, self.valid_to or last))


def instant(day: date, at: time, zone: tzinfo) -> int:
    """The Unix second at which the clocks of `zone` show `at` (RFC 5545, 3.3.5).

    A skipped time moves forward by the gap; of a doubled one the first counts. Both follow from fold=0, which takes the
    offset that held before the change (PEP 495).
    """
    return int(datetime.combine(day, at.replace(fold=0), zone).timestamp())


def stretch(first: date, starts: time, last: date, ends: time, zone: tzinfo) -> Span | None:
    """From a clock time of one day to one of the same or a later day; None when a jump of the clock leaves nothing of it."""
    start, end = instant(first, starts, zone), instant(last if ends != time.min else last + DAY, ends, zone)
    return (start, end) if start < end else None


def local_days(window: Span, zone: tzinfo) -> Iterator[date]:
    """Every local day that may touch the window: a skipped day or midnight shifts by a day at most, hence one more on either side."""
    first, last = (datetime.fromtimestamp(at, UTC).astimezone(zone).date() for at in window)
    for days_on in range(-1, (last - first).days + 2):
        yield first + days_on * DAY


def openings(rules: Iterable[Hours], window: Span) -> list[Span]:
    """All openings that touch the window, whole, unmerged and in order: each one's start is the origin of its slots."""
    found = set()
    for rule in rules:
        near = list(local_days(window, rule.zone))
        for day in rule.days(near[0], near[-1]):
            span = stretch(day, rule.starts, day, rule.ends, rule.zone)
            if span is not None and span[0] < window[1] and window[0] < span[1]:
                found.add(span)
    return sorted(found)
