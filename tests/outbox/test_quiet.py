"""Quiet hours by somebody's own clock: moved before the night rather than after what it is about. Pure values."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telehealth.outbox.quiet import Quiet, due

NEW_YORK = ZoneInfo("America/New_York")
NIGHT = Quiet(time(21), time(8), NEW_YORK)
EARLY = Quiet(time(21), time(1, 30), NEW_YORK)
NOON = Quiet(time(12), time(13), ZoneInfo("Asia/Kolkata"))
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("wanted", "start", "current", "said"),
    [
        ("2026-11-23T10:00", "2026-11-24T10:00", "2026-11-22T00:00", "2026-11-23T10:00"),
        ("2026-11-24T06:30", "2026-11-24T08:30", "2026-11-22T00:00", "2026-11-23T20:30"),  # the evening before
        ("2026-11-23T23:30", "2026-11-24T01:30", "2026-11-22T00:00", "2026-11-23T20:30"),
        ("2026-11-24T06:30", "2026-11-24T08:30", "2026-11-23T20:45", "2026-11-23T20:45"),  # just in time
        ("2026-11-24T06:30", "2026-11-24T08:30", "2026-11-23T22:00", "2026-11-24T08:00"),  # the night has begun
        ("2026-11-24T05:30", "2026-11-24T07:30", "2026-11-23T22:00", None),  # and ends too late
        ("2026-11-24T08:00", "2026-11-24T10:00", "2026-11-22T00:00", "2026-11-24T08:00"),
        ("2026-11-23T10:00", "2026-11-24T10:00", "2026-11-24T09:00", "2026-11-24T09:00"),  # late, but before it
        ("2026-11-23T10:00", "2026-11-24T10:00", "2026-11-24T10:00", None),
        ("2026-03-08T03:30", "2026-03-08T08:30", "2026-03-07T22:00", "2026-03-08T08:00"),  # 2:00 to 3:00 is not there
        ("2026-11-01T07:00", "2026-11-01T09:00", "2026-10-30T00:00", "2026-10-31T20:30"),  # 1:00 to 2:00 is there twice
    ],
)
def test_when_a_reminder_is_said(wanted: str, start: str, current: str, said: str | None) -> None:
    assert due(at(wanted), at(start), NIGHT, at(current)) == (at(said) if said else None)


def test_quiet_hours_need_not_span_midnight_and_need_not_be() -> None:
    noon = datetime(2026, 11, 24, 7, tzinfo=UTC)  # 12:30 in Kolkata
    assert NOON.holds(noon)
    assert (NOON.before(noon), NOON.after(noon)) == (noon.replace(hour=6, minute=0), noon.replace(hour=7, minute=30))
    assert not Quiet(time(9), time(9), NEW_YORK).holds(noon)


@pytest.mark.parametrize(("moment", "end"), [("05:15", "05:30"), ("05:45", "05:45"), ("06:15", "06:30"), ("06:30", "06:30")])
def test_an_end_that_the_clock_shows_twice_ends_them_twice(moment: str, end: str) -> None:
    day = "2026-11-01T{}+00:00"  # 1:00 to 2:00 is at 5:00 and at 6:00
    assert EARLY.after(datetime.fromisoformat(day.format(moment))) == datetime.fromisoformat(day.format(end))


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@settings(max_examples=150, deadline=None)
@given(
    moments,
    st.sampled_from([NIGHT, NOON, Quiet(time(22, 30), time(6), ZoneInfo("Australia/Lord_Howe")), EARLY]),
    st.integers(5, 3000),
    st.integers(-2000, 4000),
)
def test_it_is_never_quiet_never_past_and_never_after_the_start(start: datetime, quiet: Quiet, minutes: int, ahead: int) -> None:
    wanted, current = start - timedelta(minutes=minutes), start - timedelta(minutes=ahead)
    said = due(wanted, start, quiet, current)
    if said is not None:
        assert current <= said < start
        assert not quiet.holds(said)
    elif current < start and not quiet.holds(max(wanted, current)):
        raise AssertionError("what can be said is said")
