"""How far ahead hours are expanded, and whose are to be expanded again."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Max, Q

from scheduling.models import Schedule, VisitType
from scheduling.zones import InstalledZones
from telehealth.core import now

LEAST = 60
SPARE = timedelta(days=33)
"""A month in which nobody extends; what is nearer to the horizon than a week is extended."""
EDGE = timedelta(days=7)


def horizon() -> timedelta:
    """The farthest at which anything can be booked."""
    farthest = VisitType.objects.filter(is_active=True).aggregate(days=Max("horizon_days"))["days"]
    return timedelta(days=max(farthest or 0, LEAST))


def schedules_due() -> list[UUID]:
    """The providers whose hours come near the horizon, or were expanded by another version of the time zone database."""
    due = Q(expanded_until__lt=now() + horizon() + EDGE) | ~Q(tz_version=InstalledZones().version)
    return list(Schedule.objects.filter(due).order_by("practitioner_id").values_list("practitioner_id", flat=True))
