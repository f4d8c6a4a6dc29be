"""What is offered, worked out the slow way: days by another library from an ICS file, clocks by another, time walked in steps."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

import recurring_ical_events
from dateutil import tz
from icalendar import Calendar

from scheduling.models import VisitType

STEP = timedelta(minutes=5)
Times = set[datetime]


@dataclass(frozen=True)
class Rule:
    """Hours as somebody would say them. `anchor` is one of the days that the rule names."""

    rrule: str
    anchor: date
    valid_from: date | None
    valid_to: date | None
    starts: time
    ends: time
    zone: str

    def days(self, first: date, last: date) -> Iterator[date]:
        """As a calendar program reads them."""
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//oracle//", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z"]
        lines += [f"DTSTART;VALUE=DATE:{self.anchor:%Y%m%d}", f"RRULE:{self.rrule}", "SUMMARY:there", "END:VEVENT", "END:VCALENDAR", ""]
        for event in recurring_ical_events.of(Calendar.from_ical("\r\n".join(lines))).between(first, last + timedelta(days=1)):
            day = event["DTSTART"].dt
            if first <= day <= last and (self.valid_from or day) <= day <= (self.valid_to or day):
                yield day


@dataclass(frozen=True)
class Stretch:
    """Off, or there in addition."""

    opens: bool
    first: date
    starts: time
    last: date
    ends: time
    zone: str


@dataclass
class Week:
    """A few days of one provider."""

    begin: datetime
    end: datetime
    rules: list[Rule] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    busy: list[tuple[datetime, datetime]] = field(default_factory=list)  # the provider's, with buffers
    away: list[tuple[datetime, datetime]] = field(default_factory=list)  # from another calendar
    engaged: list[tuple[datetime, datetime]] = field(default_factory=list)  # the patient's

    def openings(self) -> list[tuple[datetime, datetime]]:
        first, last = self.begin.date() - timedelta(days=3), self.end.date() + timedelta(days=3)
        found = [span(day, rule.starts, day, rule.ends, rule.zone) for rule in self.rules for day in rule.days(first, last)]
        return found + [span(each.first, each.starts, each.last, each.ends, each.zone) for each in self.stretches if each.opens]

    def offered(self, kind: VisitType) -> Times:
        """Every start that fits, tried one after the other."""
        openings = self.openings()
        closed = [span(each.first, each.starts, each.last, each.ends, each.zone) for each in self.stretches if not each.opens]
        there = ticks(openings) - ticks(closed) - ticks(self.away)
        busy, engaged = ticks(self.busy), ticks(self.engaged)
        length, step = timedelta(minutes=kind.minutes), timedelta(minutes=kind.step_minutes)
        before, after = timedelta(minutes=kind.buffer_before), timedelta(minutes=kind.buffer_after)

        def fits(start: datetime) -> bool:
            visit = ticks([(start, start + length)])
            on_a_step = any(begin <= start < end and not (start - begin) % step for begin, end in openings)
            taken = ticks([(start - before, start + length + after)])
            return on_a_step and visit <= there and not visit & engaged and not taken & busy

        return {start for start in ticks([(self.begin, self.end)]) if fits(start)}


def ticks(spans: list[tuple[datetime, datetime]]) -> Times:
    """Five minutes at a time: everything in these tests is whole fives."""
    return {begin + n * STEP for begin, end in spans for n in range(max(0, (end - begin) // STEP))}


def span(first: date, starts: time, last: date, ends: time, zone: str) -> tuple[datetime, datetime]:
    until = last if ends != time.min else last + timedelta(days=1)
    return shown(first, starts, zone), shown(until, ends, zone)


def shown(day: date, at: time, zone: str) -> datetime:
    """The first moment at which the clock shows it; if it never does, so long after the last one before as it would have been."""
    there, wanted = clock(zone), datetime.combine(day, at)
    walk = [datetime.combine(day, time(12), UTC) + n * STEP for n in range(-36 * 12, 36 * 12)]
    told = [(moment, moment.astimezone(there).replace(tzinfo=None)) for moment in walk]
    if exact := [moment for moment, local in told if local == wanted]:
        return exact[0]
    moment, local = max((pair for pair in told if pair[1] < wanted), key=lambda pair: pair[0])
    return moment + (wanted - local)


def clock(zone: str) -> tzinfo:
    """dateutil's own reading of the zone: no code in common with zoneinfo."""
    found = tz.gettz(zone)
    assert found is not None
    return found


def jumps(zone: str, since: datetime, days: int) -> list[date]:
    """The days on which the clock is put forward or back."""
    there = clock(zone)
    offsets = [(since + timedelta(days=n)).astimezone(there) for n in range(days)]
    return [later.date() for earlier, later in pairwise(offsets) if earlier.utcoffset() != later.utcoffset()]
