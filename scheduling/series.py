"""When the visits of a series start: an RFC 5545 rule by the provider's clocks, so that the time of day is the same across DST."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from scheduling.errors import SeriesOdd
from scheduling.hours import instant
from scheduling.recurrence import days, normal
from scheduling.spans import moment

MOST = 52
FARTHEST = timedelta(days=20 * 366)
UNTIL = re.compile(r";UNTIL=(\d{8})(T(\d{6})Z)?(?=;|$)", re.IGNORECASE)


def starts_of(rule: str, first: datetime, zone: ZoneInfo) -> list[datetime]:
    """Every start, the first being `first`. SeriesOdd unless they are 2 to 52 and come to an end (COUNT or UNTIL).

    RuleNotSupported for what `recurrence` does not know. UNTIL is a day by the provider's clocks, or an instant in UTC.
    """
    bare, last, until = _ends(rule, zone)
    wall = first.astimezone(zone)
    bare = normal(bare, valid_from=wall.date(), valid_to=None)
    counted = re.search(r"COUNT=(\d+)", bare)
    if (counted is None) is (until is None and last is None):
        raise SeriesOdd()
    found = list(islice(days(bare, wall.date(), wall.date(), last or wall.date() + FARTHEST), MOST + 1))
    starts = [first, *(moment(instant(day, wall.time(), zone)) for day in found[1:])]
    starts = [start for start in starts if until is None or start <= until]
    if not 2 <= len(starts) <= MOST or found[0] != wall.date() or (counted and int(counted[1]) != len(starts)):
        raise SeriesOdd()
    return starts


def _ends(rule: str, zone: ZoneInfo) -> tuple[str, date | None, datetime | None]:
    """The rule without its UNTIL, the last day, and the last moment where one is named."""
    found = UNTIL.search(rule)
    if found is None:
        return rule, None, None
    try:
        last = datetime.strptime(found[1] + (found[3] or "000000"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise SeriesOdd() from error
    bare = UNTIL.sub("", rule, count=1)
    return (bare, last.astimezone(zone).date(), last) if found[2] else (bare, last.date(), None)
