"""Weekly hours against the wall clock, above all on the two days a year when the clock jumps."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scheduling.hours import Hours, instant, openings, stretch
from scheduling.spans import Span, moment, seconds

NEW_YORK = ZoneInfo("America/New_York")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York",
        "America/Phoenix",  # no daylight saving
        "America/St_Johns",  # half an hour off
        "Australia/Lord_Howe",  # jumps by half an hour
        "Asia/Beirut",  # jumps at midnight
        "Africa/Casablanca",  # negative daylight saving
        "Pacific/Apia",
        "Asia/Kathmandu",
        "UTC",
    )
]
days = st.dates(date(2025, 1, 1), date(2028, 12, 31))
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def on(day: date, starts: time, ends: time, zone: ZoneInfo = NEW_YORK) -> Hours:
    return Hours("FREQ=DAILY", starts, ends, zone, day, day)


def opening(rule: Hours) -> Span | None:
    """Of the one day on which it holds."""
    noon = utc(rule.valid_from or SPRING, 12)
    return next(iter(openings([rule], (noon - 3 * 86400, noon + 3 * 86400))), None)


def utc(day: date, *clock: int) -> int:
    return seconds(datetime(day.year, day.month, day.day, *clock, tzinfo=UTC))


@pytest.mark.parametrize(
    ("day", "starts", "ends", "expected"),
    [
        (SPRING, time(9), time(17), ((13,), (21,))),
        (SPRING, time(1), time(4), ((6,), (8,))),  # three hours on the clock, two in the world
        (SPRING, time(2, 30), time(5), ((7, 30), (9,))),  # 02:30 does not exist: 03:30
        (SPRING, time(2, 10), time(2, 40), ((7, 10), (7, 40))),  # wholly inside the gap: moved as one
        (AUTUMN, time(1), time(3), ((5,), (8,))),  # two hours on the clock, three in the world
        (AUTUMN, time(1, 30), time(1, 45), ((5, 30), (5, 45))),  # twice on the clock: the first counts
        (AUTUMN, time(9), time(17), ((14,), (22,))),
    ],
)
def test_the_clock_jumps(day: date, starts: time, ends: time, expected: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    assert opening(on(day, starts, ends)) == (utc(day, *expected[0]), utc(day, *expected[1]))


def test_hours_that_a_jump_leaves_empty_are_no_opening() -> None:
    assert opening(on(SPRING, time(2, 30), time(3))) is None


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 6, 1), 24)])
def test_open_all_day_lasts_as_long_as_the_day(day: date, hours: int) -> None:
    start, end = opening(on(day, time.min, time.min)) or (0, 0)
    assert end - start == hours * 3600


@given(day=days, zone=st.sampled_from(ZONES))
def test_round_the_clock_has_no_seam_at_midnight(day: date, zone: ZoneInfo) -> None:
    following = day + timedelta(days=1)
    first, second = opening(on(day, time.min, time.min, zone)), opening(on(following, time.min, time.min, zone))
    assert first is not None
    assert second is not None
    assert first[1] == second[0]


def unique(day: date, at: time, zone: ZoneInfo) -> bool:
    """Whether the clock shows this time exactly once that day."""
    first, second = (datetime.combine(day, at.replace(fold=fold), zone).utcoffset() for fold in (0, 1))
    return first == second


@given(day=days, starts=times, ends=times, zone=st.sampled_from(ZONES))
def test_open_exactly_while_the_wall_clock_says_so(day: date, starts: time, ends: time, zone: ZoneInfo) -> None:
    assume(starts < ends and unique(day, starts, zone) and unique(day, ends, zone))
    span = opening(on(day, starts, ends, zone))
    noon = utc(day, 12)
    walk = range(noon - 30 * 3600, noon + 30 * 3600, 300)
    shown = {at: moment(at).astimezone(zone) for at in walk}
    open_by_clock = {at for at, local in shown.items() if local.date() == day and starts <= local.time() < ends}
    assert span is not None
    assert {at for at in walk if span[0] <= at < span[1]} == open_by_clock


@given(day=days, at=times, zone=st.sampled_from(ZONES))
def test_a_clock_time_is_the_first_that_shows_it_else_moved_forward(day: date, at: time, zone: ZoneInfo) -> None:
    local = moment(instant(day, at, zone)).astimezone(zone)
    wanted = datetime.combine(day, at)
    assert local.replace(tzinfo=None, fold=0) >= wanted
    if local.replace(tzinfo=None, fold=0) == wanted:
        assert local.fold == 0


@given(
    zone=st.sampled_from(ZONES),
    weekday=st.integers(0, 6),
    starts=times,
    ends=times,
    begin=st.integers(utc(date(2026, 1, 1)), utc(date(2027, 1, 1))),
    length=st.integers(60, 20 * 86400),
)
def test_no_opening_that_touches_the_window_is_lost(
    zone: ZoneInfo, weekday: int, starts: time, ends: time, begin: int, length: int
) -> None:
    assume(ends == time.min or starts < ends)
    rule = Hours(f"FREQ=WEEKLY;BYDAY={DAYS[weekday]}", starts, ends, zone)
    window: Span = (begin, begin + length)
    year = (date(2025, 12, 1) + timedelta(days=n) for n in range(430))
    spans = [stretch(day, starts, day, ends, zone) for day in year if day.weekday() == weekday]
    assert openings([rule, rule], window) == [span for span in spans if span and span[0] < window[1] and window[0] < span[1]]


def test_hours_hold_from_the_first_valid_day_to_the_last_inclusive() -> None:
    rule = Hours("FREQ=WEEKLY;BYDAY=MO", time(9), time(10), NEW_YORK, valid_from=date(2026, 6, 8), valid_to=date(2026, 6, 15))
    found = openings([rule], (utc(date(2026, 6, 1)), utc(date(2026, 7, 1))))
    assert [moment(start).astimezone(NEW_YORK).date() for start, _ in found] == [date(2026, 6, 8), date(2026, 6, 15)]
