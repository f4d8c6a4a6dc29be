"""The time, in one place."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """This instant, aware, in UTC."""
    return timezone.now()
