"""Weekly hours on a wall clock turned into spans of real time, right on days of 23 and 25 hours."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from scheduling.spans import Span

DAY = timedelta(days=1)
ZONES = frozenset(available_timezones())
"""Names of the IANA database as it was when the process started."""


@dataclass(frozen=True)
class Hours:
    """Open every `weekday` (Monday is 0) from `starts` to `ends` by the clocks of `zone`; an end at 00:00 is midnight at the day's end.

    In force from `valid_from` to `valid_to`, both days included; None is without end.
    """

    weekday: int
    starts: time
    ends: time
    zone: ZoneInfo
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        late_enough = self.valid_from is None or self.valid_from <= day
        return day.weekday() == self.weekday and late_enough and (self.valid_to is None or day <= self.valid_to)


def instant(day: date, at: time, zone: ZoneInfo) -> int:
    """The Unix second at which the clocks of `zone` show `at` (RFC 5545, 3.3.5).

    A skipped time moves forward by the gap; of a doubled one the first counts. Both follow from fold=0, which takes the
    offset that held before the change (PEP 495).
    """
    return int(datetime.combine(day, at.replace(fold=0), zone).timestamp())


def opening(hours: Hours, day: date) -> Span | None:
    """The time open on that day, or None: other weekday, out of force, or wholly inside a skipped hour."""
    if not hours.holds_on(day):
        return None
    last = day if hours.ends != time.min else day + DAY
    start, end = instant(day, hours.starts, hours.zone), instant(last, hours.ends, hours.zone)
    return (start, end) if start < end else None


def local_days(window: Span, zone: ZoneInfo) -> Iterator[date]:
    """Every local day that may touch the window: a skipped day or midnight shifts by a day at most, hence one more on either side."""
    first, last = (datetime.fromtimestamp(at, UTC).astimezone(zone).date() for at in window)
    for days in range(-1, (last - first).days + 2):
        yield first + days * DAY


def openings(rules: Iterable[Hours], window: Span) -> list[Span]:
    """All openings that touch the window, whole, unmerged and in order: each one's start is the origin of its slots."""
    found = {
        span
        for rule in rules
        for day in local_days(window, rule.zone)
        if (span := opening(rule, day)) is not None and span[0] < window[1] and window[0] < span[1]
    }
    return sorted(found)
