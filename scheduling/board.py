"""Where things stand on a page of days: rows of five minutes by the wall clock, lanes where several are at once. Pure values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

STEP = 5  # minutes of a row
WHOLE_DAY = 24 * 60
LANES = 12  # the grid's columns; so many can stand side by side in equal parts
MOST_BESIDE = 6
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """The part of the day that is shown: minutes of the wall clock, whole hours."""

    first: int
    last: int

    @property
    def rows(self) -> int:
        return (self.last - self.first) // STEP

    @property
    def marks(self) -> list[tuple[int, time]]:
        """Each full hour and its row."""
        return [((minute - self.first) // STEP, time(minute // 60)) for minute in range(self.first, self.last, 60)]


@dataclass
class Placed:
    """One thing on one day: its first row, how many, and its part of the width."""

    row: int
    rows: int
    thing: Any
    starts_at: datetime
    ends_at: datetime
    lane: int = 0
    beside: int = 1

    @property
    def place(self) -> str:
        """The classes that say so: a style sheet knows them, for a page with our policy has no style of its own."""
        beside = min(self.beside, MOST_BESIDE)
        width = LANES // (beside if LANES % beside == 0 else MOST_BESIDE)
        return f"r{self.row} n{self.rows} c{min(self.lane, MOST_BESIDE - 1) * width} w{width}"


@dataclass
class Day:
    """One column."""

    date: date
    is_today: bool
    link: str = ""
    visits: list[Placed] = field(default_factory=list)
    open: list[Placed] = field(default_factory=list)
    closed: list[Placed] = field(default_factory=list)
    now_row: int | None = None


Timed = tuple[datetime, datetime, Any]


def minute_of(at: datetime, day: date, zone: ZoneInfo) -> int:
    """By the clocks on the wall, from this day's midnight; before it 0, after it the whole day."""
    local = at.astimezone(zone)
    if local.date() < day:
        return 0
    return WHOLE_DAY if local.date() > day else local.hour * 60 + local.minute


def hours_shown(days: Sequence[date], zone: ZoneInfo, things: Iterable[Timed], usual: tuple[int, int]) -> Hours:
    """The usual part of the day, and as much more as these need; whole hours."""
    first, last = usual
    for starts, ends, _ in things:
        for day in days:
            begin, end = minute_of(starts, day, zone), minute_of(ends, day, zone)
            if begin < end:
                first, last = min(first, begin), max(last, end)
    return Hours(first // 60 * 60, min(-(-last // 60) * 60, WHOLE_DAY))


def place(things: Iterable[Timed], day: date, zone: ZoneInfo, hours: Hours) -> list[Placed]:
    """What of them falls into the shown part of the day. Where the clock shows an hour twice it is one, its things side by side."""
    found = []
    for starts, ends, thing in sorted(things, key=lambda each: (each[0], each[1])):
        begin, end = minute_of(starts, day, zone), minute_of(ends, day, zone)
        if end <= begin and starts < ends and begin < WHOLE_DAY and end > 0:
            end = begin + int((ends - starts).total_seconds() // 60)  # the clock went back meanwhile
        begin, end = max(begin, hours.first), min(end, hours.last)
        if begin < end:
            row = (begin - hours.first) // STEP
            found.append(Placed(row, -(-(end - hours.first) // STEP) - row, thing, starts, ends))
    return found


def in_lanes(placed: list[Placed]) -> list[Placed]:
    """Those that share time stand side by side: each in the first free lane, all of one bunch equally wide."""
    bunch: list[Placed] = []
    until = 0
    for each in sorted(placed, key=lambda one: (one.row, -one.rows)):
        if bunch and each.row >= until:
            _widen(bunch)
            bunch = []
        taken = {other.lane for other in bunch if other.row + other.rows > each.row}
        each.lane = next(lane for lane in range(len(bunch) + 1) if lane not in taken)
        bunch.append(each)
        until = max(until, each.row + each.rows)
    _widen(bunch)
    return placed


def _widen(bunch: list[Placed]) -> None:
    beside = max((each.lane + 1 for each in bunch), default=1)
    for each in bunch:
        each.beside = beside if LANES % beside == 0 else MOST_BESIDE
