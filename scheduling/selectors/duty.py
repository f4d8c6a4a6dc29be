"""Who is at work now, for the review of looks outside the clinic's hours (`REVIEW_ON_DUTY`)."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from scheduling.models import Occupancy, Opening, Source
from scheduling.spans import Span, merged, minus, seconds
from telehealth.records.selectors import practitioner_of

AROUND = timedelta(minutes=30)  # to prepare, and to write up


def is_on_duty(account_id: UUID, at: datetime) -> bool:
    """Whether this account's practitioner has hours, or a visit, at this moment or within half an hour of it. Time off is no duty."""
    practitioner = practitioner_of(account_id)
    if practitioner is None:
        return False
    around = DateTimeTZRange(at - AROUND, at + AROUND)
    if _is_there(practitioner.pk, around):
        return True
    return Occupancy.objects.filter(party=practitioner.pk, live=True, during__overlap=around).exists()


def _is_there(practitioner_id: UUID, around: DateTimeTZRange) -> bool:
    rows = Opening.objects.filter(practitioner_id=practitioner_id, during__overlap=around).exclude(source=Source.CALENDAR)
    opened: list[Span] = []
    closed: list[Span] = []
    for opens, kind, span in rows.values_list("opens", "visit_type", "during"):
        near = (max(seconds(span.lower), seconds(around.lower)), min(seconds(span.upper), seconds(around.upper)))
        if opens:
            opened.append(near)
        elif kind is None:  # what closes for one visit type only sends nobody home
            closed.append(near)
    return bool(minus(merged(opened), merged(closed)))
