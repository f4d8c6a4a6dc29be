"""What is taken already: days on which a provider has enough visits of a kind, and places of visits of several."""

from collections import Counter
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet

from scheduling.hours import DAY, instant
from scheduling.models import Appointment, GroupVisit, Occupancy, VisitType
from scheduling.spans import Span, moment
from scheduling.statuses import Status
from telehealth.core import now
from telehealth.records.models import Practitioner

TO_COME = (Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN)
OVER = (Status.FULFILLED, Status.NO_SHOW)


def holding(**which: Any) -> QuerySet[Occupancy]:
    """Time that is taken now: holds that ran out are not, though nobody has swept them yet."""
    return Occupancy.objects.filter(Q(held_until=None) | Q(held_until__gt=now()), live=True, **which)


def to_come() -> Q:
    """Appointments that are to take place, those held among them."""
    return Q(status__in=TO_COME) | Q(Exists(holding(appointment=OuterRef("pk"))), status=Status.PENDING)


def full_days(kind: VisitType, who: "QuerySet[Practitioner]", window: Span, *, besides: UUID | None = None) -> list[tuple[UUID, Span]]:
    """The days that touch the window on which each provider has `most_per_day` visits of the kind, not counting the one `besides`.

    By the provider's days. Those that are over count, those that were called off do not.
    """
    if kind.most_per_day is None:
        return []
    zones = {pk: ZoneInfo(zone) for pk, zone in who.values_list("pk", "timezone")}
    around = (moment(window[0]) - 2 * DAY, moment(window[1]) + 2 * DAY)
    counted = Counter((pk, start.astimezone(zones[pk]).date()) for pk, start in _starts(kind, zones, around, besides))
    return [(pk, _day(day, zones[pk])) for (pk, day), number in counted.items() if number >= kind.most_per_day]


def _starts(
    kind: VisitType, who: dict[UUID, ZoneInfo], around: tuple[datetime, datetime], besides: UUID | None
) -> list[tuple[UUID, datetime]]:
    """When visits of the kind start; one of several patients counts once."""
    near: dict[str, Any] = {"practitioner__in": list(who), "visit_type": kind, "starts_at__range": around}
    single = Appointment.objects.filter(to_come() | Q(status__in=OVER), **near, group_visit=None).exclude(Q(pk=besides))
    groups = GroupVisit.objects.filter(**near, is_cancelled=False)
    return [*single.values_list("practitioner_id", "starts_at"), *groups.values_list("practitioner_id", "starts_at")]


def _day(day: date, zone: ZoneInfo) -> Span:
    midnight = datetime.min.time()
    return instant(day, midnight, zone), instant(day + DAY, midnight, zone)
