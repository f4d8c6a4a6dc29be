"""Taking and giving back the parties' time. No face calls this: only the services that book, cancel and step."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.utils import OperationalError

from scheduling.errors import SlotTaken
from scheduling.models import Appointment, GroupVisit, Occupancy, VisitType
from scheduling.statuses import Need, PartyKind
from telehealth.core import constraint

NO_PARTY_TWICE = "occupancy_no_party_twice_at_once"
Taken = dict[UUID, tuple[str, DateTimeTZRange]]


def occupy(thing: Appointment | GroupVisit, needs: Mapping[UUID, Need] | None = None) -> None:
    """All parties' time in one statement, or SlotTaken. A deadlock, which needs a path around our locks, is tried once more."""
    try:
        _insert(thing, needs or {})
    except SlotTaken as taken:
        if not isinstance(taken.__cause__, OperationalError):
            raise
        _insert(thing, needs or {})


def _insert(thing: Appointment | GroupVisit, needs: Mapping[UUID, Need]) -> None:
    taken: Taken = {party: (need, DateTimeTZRange(thing.starts_at, thing.ends_at)) for party, need in needs.items()}
    taken |= _of_one(thing) if isinstance(thing, Appointment) else _of_several(thing)
    held = thing.held_until if isinstance(thing, Appointment) else None
    whose = {"appointment": thing} if isinstance(thing, Appointment) else {"group_visit": thing}
    with constraint(NO_PARTY_TWICE, SlotTaken):
        # In id order, as the locks: those who come around them wait in the same order too.
        Occupancy.objects.bulk_create(
            Occupancy(party=party, kind=kind, during=during, held_until=held, **whose) for party, (kind, during) in sorted(taken.items())
        )


def _of_one(appointment: Appointment) -> Taken:
    """In a group the provider's time is the group's; overbooked, nobody's."""
    taken: Taken = {appointment.patient_id: (PartyKind.PATIENT, DateTimeTZRange(appointment.starts_at, appointment.ends_at))}
    if not appointment.is_overbooked and appointment.group_visit_id is None:
        taken[appointment.practitioner_id] = (PartyKind.PROVIDER, with_buffers(appointment.visit_type, appointment))
    return taken


def _of_several(visit: GroupVisit) -> Taken:
    return {visit.practitioner_id: (PartyKind.PROVIDER, with_buffers(visit.visit_type, visit))}


def with_buffers(kind: VisitType, thing: Appointment | GroupVisit) -> DateTimeTZRange:
    """The provider's time."""
    before, after = timedelta(minutes=kind.buffer_before), timedelta(minutes=kind.buffer_after)
    return DateTimeTZRange(thing.starts_at - before, thing.ends_at + after)


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
