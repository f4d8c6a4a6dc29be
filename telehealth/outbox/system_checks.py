"""What must never be wrong about what leaves, as system checks."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

NAME_LENGTH = 30
A_MONTH = 30 * 24 * 60


def short_name(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """A text message has room for so much of the clinic's name beside what it must say."""
    if 0 < len(settings.CLINIC_NAME) <= NAME_LENGTH:
        return []
    return [Error(f"CLINIC_NAME must have 1 to {NAME_LENGTH} characters: it stands in every text message.", id="outbox.E001")]


def sane_reminders(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Each once, between a minute and a month before the start."""
    minutes = settings.APPOINTMENT_REMINDERS
    if len(set(minutes)) == len(minutes) and all(1 <= each <= A_MONTH for each in minutes):
        return []
    return [Error("APPOINTMENT_REMINDERS must be different numbers of minutes, a month at most.", id="outbox.E002")]
