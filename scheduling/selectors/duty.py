"""Who is at work now, for the review of looks outside the clinic's hours (`REVIEW_ON_DUTY`)."""

from datetime import datetime, timedelta
from uuid import UUID

from scheduling.hours import openings
from scheduling.models import Availability, Occupancy
from telehealth.records.selectors import practitioner_of

AROUND = timedelta(minutes=30)  # to prepare, and to write up


def is_on_duty(account_id: UUID, at: datetime) -> bool:
    """Whether this account's practitioner has hours, or a visit, at this moment or within half an hour of it."""
    practitioner = practitioner_of(account_id)
    if practitioner is None:
        return False
    since, until = at - AROUND, at + AROUND
    hours = [each.hours for each in Availability.objects.filter(practitioner=practitioner)]
    if openings(hours, (int(since.timestamp()), int(until.timestamp()))):
        return True
    return Occupancy.objects.filter(party=practitioner.pk, live=True, during__overlap=(since, until)).exists()
