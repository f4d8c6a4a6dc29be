"""The busy times of a calendar that came from elsewhere (RFC 5545), read in a process of its own.

Whoever wrote that calendar may want to stop us: rules that repeat each second, a hundred thousand components, zones that never
end. So its text is read by a child that has neither our settings nor our keys, so much memory, so many seconds, and one way to
answer: a line of JSON. This module is that child; it imports nothing of Django.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from scheduling.hours import instant
from scheduling.spans import Span, merged

try:
    import resource
except ImportError:  # not Unix: there is the deadline of whoever waits, and no other
    resource = None  # type: ignore[assignment]

MOST_BYTES = 1_000_000
MOST_EVENTS = 1000
MOST_SPANS = 5000
MEMORY = 512 * 1024 * 1024
SECONDS = 10
TOO_OFTEN = {"SECONDLY", "MINUTELY"}
FREE = {"FREE", "WORKINGELSEWHERE"}


class Unreadable(Exception):
    """No calendar, or one that says what cannot be meant."""


class TooBig(Exception):
    """More than we read: bytes, events, or how often they repeat."""


def busy(text: bytes, zone: ZoneInfo, since: datetime, until: datetime) -> list[Span]:
    """When its owner is busy in that time, as the fewest spans. Days and times without a zone are of `zone`."""
    if len(text) > MOST_BYTES or text.upper().count(b"BEGIN:VEVENT") > MOST_EVENTS:
        raise TooBig
    window = int(since.timestamp()), int(until.timestamp())
    found: list[Span] = []
    for calendar in _calendars(text):
        _check_rules(calendar)
        for event in recurring_ical_events.of(calendar).between(since, until):
            if _takes_time(event):
                found.append(_span(event, zone))
    cut = ((max(start, window[0]), min(end, window[1])) for start, end in found)
    spans = merged(cut)
    if len(spans) > MOST_SPANS:
        raise TooBig
    return spans


def _calendars(text: bytes) -> list[Any]:
    found = icalendar.Calendar.from_ical(text, multiple=True)
    if not found or any(each.name != "VCALENDAR" for each in found):
        raise Unreadable
    return list(found)


def _check_rules(calendar: Any) -> None:
    for event in calendar.walk("VEVENT"):
        for rule in _each(event.get("RRULE")):
            if {str(freq).upper() for freq in _each(rule.get("FREQ"))} & TOO_OFTEN:
                raise TooBig


def _each(value: Any) -> Iterator[Any]:
    if value is not None:
        yield from value if isinstance(value, list) else [value]


def _takes_time(event: Any) -> bool:
    """Not what is called off, nor what its owner marked as free."""
    called_off = str(event.get("STATUS", "")).upper() == "CANCELLED"
    marked = str(event.get("TRANSP", "")).upper() == "TRANSPARENT" or str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() in FREE
    return not called_off and not marked


def _span(event: Any, zone: ZoneInfo) -> Span:
    starts = event.decoded("DTSTART")
    ends = event.decoded("DTEND") if "DTEND" in event else starts + _length(event, starts)
    return _second(starts, zone, up=False), _second(ends, zone, up=True)


def _length(event: Any, starts: date) -> timedelta:
    if "DURATION" in event:
        length: timedelta = event.decoded("DURATION")
        return length
    return timedelta() if isinstance(starts, datetime) else timedelta(days=1)


def _second(at: date, zone: ZoneInfo, *, up: bool) -> int:
    if not isinstance(at, datetime):
        return instant(at, time.min, zone)
    if at.tzinfo is None:
        return instant(at.date(), at.time(), zone)
    return -int(-at.timestamp() // 1) if up else int(at.timestamp() // 1)


def answer(request: bytes) -> dict[str, Any]:
    """A line of JSON, then the calendar; what came of it, as a word and the spans."""
    head, _, text = request.partition(b"\n")
    asked = json.loads(head)
    since, until = (datetime.fromtimestamp(asked[name], UTC) for name in ("since", "until"))
    try:
        return {"state": "read", "spans": busy(text, ZoneInfo(asked["zone"]), since, until)}
    except (TooBig, MemoryError, RecursionError):
        return {"state": "too_big"}
    except Exception:  # noqa: BLE001 - whatever breaks on it, it is no calendar that we can read
        return {"state": "broken"}


def _limit() -> None:
    """So much memory and so many seconds, and no file: from the kernel, whatever the libraries do."""
    if resource is None:
        return
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # a system that does not limit this
            resource.setrlimit(limit, (most, most))


if __name__ == "__main__":
    _limit()
    told = answer(sys.stdin.buffer.read(2 * MOST_BYTES))
    sys.stdout.write(json.dumps(told))
