"""Whose hours are to be expanded again."""

from datetime import timedelta
from uuid import UUID

from django.db.models import Q

from scheduling.models import Schedule
from scheduling.zones import InstalledZones
from telehealth.core import now

LEAST = timedelta(days=740)
"""Further ahead than the farthest horizon of a visit type (730 days)."""


def schedules_due() -> list[UUID]:
    """The providers whose hours come near the edge, or were expanded by another version of the time zone database."""
    due = Q(expanded_until__lt=now() + LEAST) | ~Q(tz_version=InstalledZones().version)
    return list(Schedule.objects.filter(due).order_by("practitioner_id").values_list("practitioner_id", flat=True))
