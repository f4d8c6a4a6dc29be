"""Calendars that others wrote: what is busy in them, and calendars that were written to hurt."""

import resource
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from scheduling.busy_times import answer
from scheduling.elsewhere import HERE, busy_times
from scheduling.models import BusyState
from scheduling.spans import seconds

ZONE = "America/New_York"
SINCE, UNTIL = datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
Times = list[tuple[str, str]]


def calendar(*events: str, more: str = "") -> bytes:
    """One of these, each a list of lines with | between; one that is moved (RECURRENCE-ID) is of the first."""
    said: list[str] = []
    for n, event in enumerate(events):
        uid = "UID:0@x" if "RECURRENCE-ID" in event else f"UID:{n}@x"
        said += ["BEGIN:VEVENT", uid, "DTSTAMP:20260101T000000Z", *event.split("|"), "END:VEVENT"]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", *more.split("|"), *said, "END:VCALENDAR", ""]).encode()


def read(text: bytes, *, zone: str = ZONE) -> Times:
    """In this very process: what it makes of a calendar that means well."""
    head = f'{{"zone": "{zone}", "since": {SINCE.timestamp()}, "until": {UNTIL.timestamp()}}}\n'.encode()
    told = answer(head + text)
    assert told["state"] == "read", told
    return [(shown(start), shown(end)) for start, end in told["spans"]]


def shown(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("event", "busy"),
    [
        ("DTSTART:20261102T150000Z|DTEND:20261102T160000Z", [("11-02 15:00", "11-02 16:00")]),
        ("DTSTART:20261102T150000Z|DURATION:PT90M", [("11-02 15:00", "11-02 16:30")]),
        ("DTSTART;TZID=America/New_York:20261102T090000|DTEND;TZID=America/New_York:20261102T100000", [("11-02 14:00", "11-02 15:00")]),
        ("DTSTART;TZID=Eastern Standard Time:20261102T090000|DURATION:PT1H", [("11-02 14:00", "11-02 15:00")]),
        ("DTSTART:20261102T090000|DTEND:20261102T100000", [("11-02 14:00", "11-02 15:00")]),  # floating: the provider's
        ("DTSTART;VALUE=DATE:20261102|DTEND;VALUE=DATE:20261103", [("11-02 05:00", "11-03 05:00")]),
        ("DTSTART;VALUE=DATE:20261102", [("11-02 05:00", "11-03 05:00")]),
        ("DTSTART;VALUE=DATE:20261101", [("11-01 04:00", "11-02 05:00")]),  # the day of 25 hours
        ("DTSTART:20261102T150000Z|DTEND:20261102T160000Z|TRANSP:TRANSPARENT", []),
        ("DTSTART:20261102T150000Z|DTEND:20261102T160000Z|STATUS:CANCELLED", []),
        ("DTSTART:20261102T150000Z|DTEND:20261102T160000Z|X-MICROSOFT-CDO-BUSYSTATUS:FREE", []),
        ("DTSTART:20261102T150000Z|DTEND:20261102T160000Z|STATUS:TENTATIVE|TRANSP:OPAQUE", [("11-02 15:00", "11-02 16:00")]),
        ("DTSTART:20261102T150000Z|DTEND:20261102T150000Z", []),
        ("DTSTART:20261102T150000Z", []),
        ("DTSTART:20270102T150000Z|DTEND:20270102T160000Z", []),
        ("DTSTART:20261024T230000Z|DTEND:20261025T010000Z", [("10-25 00:00", "10-25 01:00")]),  # cut to the window
    ],
)
def test_one_event(event: str, busy: Times) -> None:
    assert read(calendar(event)) == busy


def test_what_repeats_follows_the_wall_clock_and_its_exceptions() -> None:
    weekly = (
        "DTSTART;TZID=America/New_York:20261026T090000|DURATION:PT1H|RRULE:FREQ=WEEKLY;COUNT=4|EXDATE;TZID=America/New_York:20261109T090000"
    )
    moved = "RECURRENCE-ID;TZID=America/New_York:20261116T090000|DTSTART;TZID=America/New_York:20261116T110000|DURATION:PT1H"
    assert read(calendar(weekly, moved)) == [
        ("10-26 13:00", "10-26 14:00"),
        ("11-02 14:00", "11-02 15:00"),  # after the clocks went back
        ("11-16 16:00", "11-16 17:00"),
    ]


def test_busy_times_that_touch_are_one_and_nothing_else_is_told() -> None:
    text = calendar("SUMMARY:Oncologist|DTSTART:20261102T150000Z|DURATION:PT1H", "DTSTART:20261102T153000Z|DTEND:20261102T170000Z")
    assert read(text) == [("11-02 15:00", "11-02 17:00")]
    state, spans = busy_times(text, ZONE, SINCE, UNTIL)  # the same by the child
    first, last = (seconds(datetime(2026, 11, 2, hour, tzinfo=UTC)) for hour in (15, 17))
    assert (state, spans) == (BusyState.READ, [(first, last)])


def test_a_zone_that_nobody_knows_is_the_providers() -> None:
    assert read(calendar("DTSTART;TZID=Mars/Olympus:20261102T090000|DURATION:PT1H")) == [("11-02 14:00", "11-02 15:00")]


EVENT = "DTSTART:20261102T150000Z|DURATION:PT1H"
NONE: dict[str, tuple[bytes, BusyState]] = {
    "nothing": (b"", BusyState.BROKEN),
    "a page": (b"<html><body>Sign in</body></html>", BusyState.BROKEN),
    "bytes": (bytes(range(256)) * 40, BusyState.BROKEN),
    "cut short": (calendar(EVENT)[:-40], BusyState.BROKEN),
    "another component": (b"BEGIN:VTODO\r\nUID:1\r\nEND:VTODO\r\n", BusyState.BROKEN),
    "a rule that is none": (calendar(EVENT + "|RRULE:FREQ=SOMETIMES"), BusyState.BROKEN),
    "a date that is none": (calendar("DTSTART:20261345T990000Z|DURATION:PT1H"), BusyState.BROKEN),
    "too many bytes": (calendar(EVENT + "|DESCRIPTION:" + "x" * 1_000_001), BusyState.TOO_BIG),
    "too many events": (calendar(*[EVENT] * 1001), BusyState.TOO_BIG),
    "each second": (calendar(EVENT + "|RRULE:FREQ=SECONDLY"), BusyState.TOO_BIG),
    "each minute, counted": (calendar(EVENT + "|RRULE:FREQ=MINUTELY;COUNT=999999999"), BusyState.TOO_BIG),
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_calendar_or_more_than_we_read(name: str) -> None:
    text, due = NONE[name]
    head = f'{{"zone": "{ZONE}", "since": {SINCE.timestamp()}, "until": {UNTIL.timestamp()}}}\n'.encode()
    assert answer(head + text) == {"state": due}


def every(most: int) -> str:
    return ",".join(map(str, range(most)))


BOMBS: dict[str, bytes] = {
    "seconds within days": calendar(
        f"DTSTART:20261102T150000Z|RRULE:FREQ=DAILY;BYSECOND={every(60)};BYMINUTE={every(60)};BYHOUR={every(24)}"
    ),
    "from long ago": calendar(f"DTSTART:00010101T000000Z|DURATION:PT1S|RRULE:FREQ=HOURLY;BYMINUTE={every(60)}"),
    "a rule that never comes": calendar("DTSTART:20260101T000000Z|DURATION:PT1H|RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
    "nested": b"BEGIN:VCALENDAR\r\n" * 50_000,
    "one long line": b"BEGIN:VCALENDAR\r\nX-A" + b";A=B" * 200_000 + b":1\r\nEND:VCALENDAR\r\n",
    "an endless zone": calendar(
        "DTSTART;TZID=Odd:20261102T150000|DURATION:PT1H",
        more="BEGIN:VTIMEZONE|TZID:Odd|BEGIN:STANDARD|DTSTART:00010101T000000|TZOFFSETFROM:+0000|TZOFFSETTO:+0100"
        "|RRULE:FREQ=SECONDLY|END:STANDARD|END:VTIMEZONE",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_calendars_that_were_written_to_hurt_cost_a_child_and_no_more(name: str) -> None:
    begun = time.monotonic()
    state, spans = busy_times(BOMBS[name], ZONE, SINCE, UNTIL, patience=3)
    assert time.monotonic() - begun < 6
    assert state in (BusyState.TOO_BIG, BusyState.BROKEN) or len(spans) <= 1
    grown = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # KiB on Linux, bytes elsewhere: the same bound serves
    assert grown > 0 and (sys.platform != "linux" or grown < 1024 * 1024)


def test_memory_is_bounded_by_the_kernel() -> None:
    code = "import scheduling.busy_times as b; b._limit(); bytearray(2 * b.MEMORY)"
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, check=False)
    assert "MemoryError" in done.stderr


def test_the_child_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    seen: list[dict[str, str]] = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **named: (seen.append(named["env"]), run(*args, **named))[1])
    assert busy_times(calendar(EVENT), ZONE, SINCE, UNTIL)[0] == BusyState.READ
    assert seen and set(seen[0]) <= {"PATH", "LANG", "LC_ALL", "SYSTEMROOT", "PYTHONTZPATH"}
