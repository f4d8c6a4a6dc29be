"""Where things stand on the calendar: by the wall clock, also on the two odd days, and side by side."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduling.board import Hours, hours_shown, in_lanes, minute_of, place

ZONE = ZoneInfo("America/New_York")
DAY = date(2026, 11, 23)
OFFICE = Hours(7 * 60, 20 * 60)


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("starts", "ends", "row", "rows"),
    [
        (at(7), at(7, 10), 0, 2),
        (at(9, 30), at(10), 30, 6),
        (at(6), at(8), 0, 12),  # the part that is shown
        (at(19, 30), at(23), 150, 6),
        (at(9, 2), at(9, 13), 24, 3),  # outwards to whole rows
        (at(9) - timedelta(days=2), at(9) + timedelta(days=2), 0, 156),
    ],
)
def test_rows_of_five_minutes(starts: datetime, ends: datetime, row: int, rows: int) -> None:
    (found,) = place([(starts, ends, "x")], DAY, ZONE, OFFICE)
    assert (found.row, found.rows) == (row, rows)


@pytest.mark.parametrize(
    ("starts", "ends"), [(at(5), at(7)), (at(20), at(21)), (at(9, day=date(2026, 11, 24)), at(10, day=date(2026, 11, 24)))]
)
def test_what_is_not_of_this_day_is_not_there(starts: datetime, ends: datetime) -> None:
    assert place([(starts, ends, "x")], DAY, ZONE, OFFICE) == []


def test_those_at_once_stand_side_by_side_and_the_others_are_wide() -> None:
    things = [(at(9), at(10), "a"), (at(9, 30), at(10, 30), "b"), (at(10), at(11), "c"), (at(12), at(13), "d")]
    lanes = {each.thing: each.place.split()[2:] for each in in_lanes(place(things, DAY, ZONE, OFFICE))}
    assert lanes == {"a": ["c0", "w6"], "b": ["c6", "w6"], "c": ["c0", "w6"], "d": ["c0", "w12"]}


@pytest.mark.parametrize("many", [5, 7, 12])
def test_however_many_each_has_a_place_on_the_grid(many: int) -> None:
    placed = in_lanes(place([(at(9), at(10), n) for n in range(many)], DAY, ZONE, OFFICE))
    columns = [(int(each.place.split()[2][1:]), int(each.place.split()[3][1:])) for each in placed]
    assert all(first + width <= 12 and width == 2 for first, width in columns)
    assert len({first for first, _ in columns}) == min(many, 6)


def test_the_hours_grow_with_what_stands_outside_them() -> None:
    assert hours_shown([DAY], ZONE, [(at(5, 40), at(6), "x")], (7 * 60, 20 * 60)) == Hours(5 * 60, 20 * 60)
    assert hours_shown([DAY], ZONE, [(at(23, 30), at(1, day=date(2026, 11, 24)), "x")], (7 * 60, 20 * 60)) == Hours(7 * 60, 24 * 60)
    assert hours_shown([DAY], ZONE, [], (7 * 60, 20 * 60 - 15)) == Hours(7 * 60, 20 * 60)


def test_the_two_odd_days() -> None:
    autumn, spring, whole = date(2026, 11, 1), date(2026, 3, 8), Hours(0, 24 * 60)
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # 01:30, and an hour later again
    again = first + timedelta(hours=1)
    assert [minute_of(each, autumn, ZONE) for each in (first, again)] == [90, 90]
    placed = in_lanes(place([(each, each + timedelta(minutes=30), "x") for each in (first, again)], autumn, ZONE, whole))
    assert [each.place for each in placed] == ["r18 n6 c0 w6", "r18 n6 c6 w6"]
    over = place([(first + timedelta(minutes=15), again, "x")], autumn, ZONE, whole)  # 01:45 to 01:30
    assert [(each.row, each.rows) for each in over] == [(21, 9)]
    gap = datetime(2026, 3, 8, 6, 45, tzinfo=UTC)  # 01:45, and half an hour later it is 03:15
    (found,) = place([(gap, gap + timedelta(minutes=30), "x")], spring, ZONE, whole)
    assert (found.row, found.rows) == (21, 18)
