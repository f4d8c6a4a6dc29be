"""A provider leaves: what they were to hold goes to colleagues, at the same time. A dry run first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.errors import ReassignmentOdd, SlotTaken
from scheduling.models import Appointment, Occupancy
from scheduling.selectors.moving import not_theirs_because, stays_because, to_come_of
from scheduling.services.changing import freed, locked
from scheduling.services.expiring import sweep_expired_holds
from scheduling.services.occupying import NO_PARTY_TWICE, with_buffers
from scheduling.services.telling import care_for, tell
from scheduling.services.wishes import provider
from scheduling.spans import Span
from scheduling.statuses import PartyKind
from telehealth.core import constraint, lock, one, permit
from telehealth.records.models import Practitioner
from telehealth.records.services import end_care


@dataclass(frozen=True)
class Move:
    """One appointment: whose it becomes, or None and why not each colleague's ("" for all of them). Ids and codes, nothing else."""

    appointment: UUID
    starts_at: datetime
    to: UUID | None
    why: dict[str, str]


def reassign(*, from_id: UUID, to_ids: Sequence[UUID], by: Actor, apply: bool = False) -> list[Move]:
    """Give each of the provider's appointments to come to the first colleague who is there, free and licensed; says what becomes of each.

    Only says, unless `apply`: then each goes in a transaction of its own, its care relationship follows and its patient is
    told; whatever changed meanwhile stays and says why. ReassignmentOdd unless all named are different people.
    """
    permit(by, rules.may_reassign, None)
    if not to_ids or len({from_id, *to_ids}) != len(to_ids) + 1:
        raise ReassignmentOdd()
    leaving = one(Practitioner.objects.exclude(account_id=None), from_id)
    colleagues = [provider(each) for each in to_ids]
    moves = _planned(leaving, colleagues)
    if not apply:
        return moves
    named = {each.pk: each for each in colleagues}
    done = []
    for move in moves:
        with transaction.atomic():
            done.append(_done(move, leaving, named[move.to], by) if move.to else move)
    return done


def _planned(leaving: Practitioner, colleagues: Sequence[Practitioner]) -> list[Move]:
    given: defaultdict[UUID, list[Span]] = defaultdict(list)
    return [_chosen(each, colleagues, given) for each in to_come_of(leaving.pk)]


def _chosen(appointment: Appointment, colleagues: Sequence[Practitioner], given: dict[UUID, list[Span]]) -> Move:
    """The first of them who can; what they are given here counts for the next."""
    if stays := stays_because(appointment):
        return Move(appointment.pk, appointment.starts_at, None, {"": stays})
    why: dict[str, str] = {}
    for each in colleagues:
        code = not_theirs_because(appointment, each, given[each.pk])
        if not code:
            given[each.pk].append(appointment.visit_type.shape.taken(int(appointment.starts_at.timestamp())))
            return Move(appointment.pk, appointment.starts_at, each.pk, why)
        why[str(each.pk)] = code
    return Move(appointment.pk, appointment.starts_at, None, why)


def _done(move: Move, leaving: Practitioner, to: Practitioner, by: Actor) -> Move:
    try:
        with transaction.atomic():  # to go back to, where the time was taken after all
            why = _given_to(move, leaving, to, by)
    except SlotTaken as taken:
        why = taken.code
    return Move(move.appointment, move.starts_at, None, {**move.why, str(to.pk): why}) if why else move


def _given_to(move: Move, leaving: Practitioner, to: Practitioner, by: Actor) -> str:
    """Under the locks all is asked again: empty once it is theirs."""
    lock(move.appointment)
    appointment = locked(move.appointment, to.pk)
    if (appointment.practitioner_id, appointment.starts_at) != (leaving.pk, move.starts_at):
        return "version_changed"
    sweep_expired_holds(to.pk)
    why = stays_because(appointment) or not_theirs_because(appointment, to, [])
    if not why:
        _put(appointment, to)
        end_care(source="appointment", source_id=appointment.pk, by=by)
        care_for(appointment, by)
        record(by, Act.APPOINTMENT_REASSIGNED, appointment, detail={"practitioner": str(to.pk), "from": str(leaving.pk)})
        tell(appointment, "appointment_changed")
        freed()
    return why


def _put(appointment: Appointment, to: Practitioner) -> None:
    """The new provider's time for the former's; an overbooking is one no more."""
    Occupancy.objects.filter(appointment=appointment, kind=PartyKind.PROVIDER, live=True).update(live=False)
    during = with_buffers(appointment.visit_type, appointment)
    with constraint(NO_PARTY_TWICE, SlotTaken):
        Occupancy.objects.create(appointment=appointment, party=to.pk, kind=PartyKind.PROVIDER, during=during)
    appointment.practitioner = to
    appointment.overbooked_by, appointment.overbooked_code, appointment.overbooked_reason = None, "", None
    appointment.version += 1
    appointment.sequence += 1
    names = ["practitioner", "overbooked_by", "overbooked_code", "overbooked_reason", "version", "sequence"]
    appointment.save(update_fields=names)
