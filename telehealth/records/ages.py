"""How old somebody is, by the calendar of the clinic whoever asks; compared inside the vault, so that no record is opened for it."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from telehealth.core import now
from telehealth.records.importing.reading import ADULT, age_on
from telehealth.records.models import Patient
from telehealth.vault import matches

__all__ = ["ADULT", "day_of", "is_at_least"]


def day_of(at: datetime | None = None) -> date:
    """The clinic's date at this moment: a birthday begins at its midnight (`CLINIC_TIME_ZONE`)."""
    return (at or now()).astimezone(ZoneInfo(settings.CLINIC_TIME_ZONE)).date()


def is_at_least(patient: Patient, age: int, at: datetime | None = None) -> bool:
    """Whether the patient has lived so many full years; no for who has no birth date that tells."""
    day = day_of(at)
    return matches(patient, "birth_date", lambda held: (found := age_on(held, day)) is not None and found >= age)
