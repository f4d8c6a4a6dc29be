"""Who may treat somebody who will be in some state, and on which days not: licences begin and end in the middle of a search."""

from collections.abc import Sequence
from datetime import date, time
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from scheduling.errors import StateUnknown
from scheduling.hours import DAY, instant
from scheduling.selectors.free import Run
from scheduling.selectors.licensure import is_enforced, licensed_in, turning_days
from scheduling.spans import Span, moment
from telehealth.records.models import Practitioner
from telehealth.records.states import state_code


def who_may_treat(who: "QuerySet[Practitioner]", state: str, window: Span) -> tuple["QuerySet[Practitioner]", list[tuple[UUID, Span]]]:
    """Those who may on some day that the window touches, and the time in it in which each may not. By each one's own days. StateUnknown."""
    if is_enforced() and not state_code(state):
        raise StateUnknown()
    first, last = (moment(at).date() + n * DAY for at, n in zip(window, (-1, 2), strict=True))
    days = [first, *turning_days(state, first, last), last]
    stretches = [(begin, end, who.filter(licensed_in(state, begin))) for begin, end in pairwise(days)]
    if len(stretches) == 1:
        return stretches[0][2], []
    ever = Q()
    for begin, _ in pairwise(days):
        ever |= licensed_in(state, begin)
    found = who.filter(ever)
    zones = {pk: ZoneInfo(zone) for pk, zone in found.values_list("pk", "timezone")}
    able = [(begin, end, set(some.values_list("pk", flat=True))) for begin, end, some in stretches]
    return found, [(pk, _between(begin, end, zone)) for begin, end, some in able for pk, zone in zones.items() if pk not in some]


def without(found: Sequence[Run], times: Sequence[tuple[UUID, Span]]) -> list[Run]:
    """Single starts, but for those of a provider in that provider's times."""
    gone = [(pk.int, span) for pk, span in times]
    return [run for run in found if not any(run[0] == who and begin <= run[1] < end for who, (begin, end) in gone)]


def _between(begin: date, end: date, zone: ZoneInfo) -> Span:
    return instant(begin, time.min, zone), instant(end, time.min, zone)
