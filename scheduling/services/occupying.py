"""Taking and giving back the parties' time. No face calls this: only the services that book, cancel and step."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.utils import OperationalError

from scheduling.errors import SlotTaken
from scheduling.models import Appointment, Occupancy
from scheduling.statuses import PartyKind
from telehealth.core import constraint

NO_PARTY_TWICE = "occupancy_no_party_twice_at_once"


def occupy(appointment: Appointment) -> None:
    """Both parties' time in one statement, or SlotTaken. A deadlock, which needs a path around our locks, is tried once more."""
    try:
        _insert(appointment)
    except SlotTaken as taken:
        if not isinstance(taken.__cause__, OperationalError):
            raise
        _insert(appointment)


def _insert(appointment: Appointment) -> None:
    with constraint(NO_PARTY_TWICE, SlotTaken):
        Occupancy.objects.bulk_create(_rows(appointment))


def _rows(appointment: Appointment) -> list[Occupancy]:
    """In id order, as the locks: those who come around them wait in the same order too."""
    shape, starts, ends = appointment.visit_type, appointment.starts_at, appointment.ends_at
    taken = {appointment.patient_id: (PartyKind.PATIENT, DateTimeTZRange(starts, ends))}
    if not appointment.is_overbooked:
        before, after = timedelta(minutes=shape.buffer_before), timedelta(minutes=shape.buffer_after)
        taken[appointment.practitioner_id] = (PartyKind.PROVIDER, DateTimeTZRange(starts - before, ends + after))
    held = appointment.held_until
    return [
        Occupancy(party=party, kind=kind, during=during, appointment=appointment, held_until=held)
        for party, (kind, during) in sorted(taken.items())
    ]


def is_busy(party: UUID, starts: datetime, ends: datetime) -> bool:
    """Whether the party has committed time, or ours, in this span."""
    return Occupancy.objects.filter(party=party, live=True, during__overlap=DateTimeTZRange(starts, ends)).exists()


def release(appointment: Appointment, at: datetime) -> None:
    """What is left of the parties' time from `at` on is free again; what has passed stays theirs. The buffer after moves up."""
    after = timedelta(minutes=appointment.visit_type.buffer_after)
    for row in Occupancy.objects.filter(appointment=appointment, live=True):
        end = at + after if row.party == appointment.practitioner_id else at
        if end <= row.during.lower:
            row.live = False
        else:
            row.during = DateTimeTZRange(row.during.lower, min(end, row.during.upper))
        row.save(update_fields=["live", "during"])
