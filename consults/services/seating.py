"""Places at the visit's socket: tickets, who sits down, who is connected, who went."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q

from audit.ledger import SYSTEM, Act, Actor, record, refuse
from consults import rules, selectors
from consults.errors import TicketInvalid, VisitEnded
from consults.mailboxes import desk, names
from consults.models import Participant, Visit
from consults.protocol.outgoing import Outgoing, PeerJoined, PeerLeft
from consults.protocol.politeness import polite
from consults.selectors import Standing
from consults.services import steps
from consults.states import Event, Waiting, may
from telehealth.accounts import live
from telehealth.accounts.access import Action
from telehealth.accounts.models import User
from telehealth.core import now, permit
from telehealth.core.errors import Refused

TICKET_LIFE = timedelta(seconds=30)


@dataclass(frozen=True)
class Ticket:
    value: str
    expires_at: datetime
    visit_id: UUID


class _Stub(msgspec.Struct):
    """What Redis keeps of a ticket, under the hash of its value: who, where, and the proof it was given on."""

    visit: UUID
    account: UUID
    epoch: int
    role: str
    session: str
    client: str
    second_factor_at: datetime | None
    scopes: list[str]
    guards_minors: bool = False


@transaction.atomic
def issue_ticket(*, visit_id: UUID, by: Actor) -> Ticket:
    """256 random bits for this account and this visit, for one `join` within 30 seconds."""
    visit = selectors.visit_for(by, visit_id, Action.ACT)
    permit(by, rules.may_take_part, visit)
    if visit.ended:
        raise VisitEnded
    value, expires = secrets.token_urlsafe(32), now() + TICKET_LIFE
    epoch = User.objects.values_list("epoch", flat=True).get(pk=rules.account_of(by))
    shown = by.second_factor_at
    stub = _Stub(visit.pk, rules.account_of(by), epoch, by.role, by.session, by.client, shown, sorted(by.scopes), by.guards_minors)
    desk.redis().set(names.ticket(_digest(value)), msgspec.json.encode(stub), ex=TICKET_LIFE)
    record(by, Act.TICKET_ISSUED, visit)
    return Ticket(value, expires, visit.pk)


@transaction.atomic
def redeem_ticket(*, value: str, visit_id: UUID, by: Actor) -> tuple[Actor, int]:
    """Who the ticket stands for, and the account's epoch; used up by asking.

    TicketInvalid when it is unknown, used, expired, of another visit, or the account has changed since.
    """
    kept = desk.redis().getdel(names.ticket(_digest(value)))
    stub = msgspec.json.decode(kept, type=_Stub) if isinstance(kept, bytes) else None
    if stub is None or stub.visit != visit_id or not live.stands(_holder(stub), stub.epoch):
        refuse(by, TicketInvalid.code, kind=Visit._meta.label, pk=visit_id)
        raise TicketInvalid
    holder = _holder(stub)
    record(holder, Act.TICKET_USED, record_id=None, detail={"visit": str(visit_id)})
    return holder, stub.epoch


def _holder(stub: _Stub) -> Actor:
    by = Actor(stub.account, stub.role, stub.session, stub.client, stub.second_factor_at, frozenset(stub.scopes))
    return replace(by, guards_minors=stub.guards_minors)


@transaction.atomic
def take_seat(*, visit_id: UUID, by: Actor) -> tuple[Standing, str]:
    """The actor's place in this visit and the visit's signalling key. Refused unless they take part; VisitEnded."""
    visit = steps.locked(selectors.visits_for(by, Action.ACT), visit_id)
    permit(by, rules.may_take_part, visit)
    if visit.ended:
        refuse(by, VisitEnded.code, kind=visit._meta.label, pk=visit.pk, record_id=visit.record_id)
        raise VisitEnded
    place, _ = Participant.objects.get_or_create(visit=visit, account_id=rules.account_of(by), defaults={"role": rules.role_in(by, visit)})
    standing = selectors.standing_of(place.pk)
    if standing.removed:
        refuse(by, "removed", kind=visit._meta.label, pk=visit.pk, record_id=visit.record_id)
        raise Refused
    record(by, Act.VISIT_JOINED, visit, detail={"member": str(place.pk), "role": place.role})
    return standing, visit.signal_key


@transaction.atomic
def enter(*, member: UUID, resumed: bool, by: Actor) -> tuple[Standing, bool]:
    """Connected, as one who is admitted. The call starts when the provider and the patient's side both are.

    Tells the others unless this is the same device coming back in time; says whether it was.
    """
    place = Participant.objects.get(pk=member, account_id=rules.account_of(by))
    visit = steps.locked(Visit.objects.select_related("appointment", "practitioner"), place.visit_id)
    place.refresh_from_db()
    standing = selectors.standing_of(member)
    if not standing.admitted:
        return standing, False
    came_back = resumed and place.connected
    if not came_back:
        place.joined_at, place.left_at = now(), None
        place.save(update_fields=["joined_at", "left_at"])
        steps.tell(visit, {other: _arrival(place, other, role) for other, role in standing.others})
        record(by, Act.VISIT_CONNECTED, visit, detail={"member": str(place.pk)})
    if visit.waiting != Waiting.IN_CALL and _both_here(visit) and may(visit.state, Event.CONNECT):
        steps.move(visit, Event.CONNECT, by=by)
    elif not came_back:
        steps.keep(visit)
    return selectors.standing_of(member), came_back


def _arrival(place: Participant, other: UUID, role: str) -> Outgoing:
    return PeerJoined(place.pk, place.role, polite(place.role, place.pk, role, other))


def _both_here(visit: Visit) -> bool:
    inside = [p for p in selectors.admitted(list(visit.participants.all()), visit) if p.connected]
    providers = [p for p in inside if p.role == Participant.Role.PROVIDER]
    return bool(providers) and len(inside) > len(providers)


@transaction.atomic
def depart(*, visit_id: UUID, members: list[UUID], by: Actor) -> None:
    """These participants are gone: they said so, or fell silent."""
    visit = steps.locked(Visit.objects.select_related("appointment", "practitioner"), visit_id)
    for member in part(visit, Q(pk__in=members)):
        record(by, Act.VISIT_DISCONNECTED, visit, detail={"member": str(member)})


def part(visit: Visit, whom: Q) -> list[UUID]:
    """Mark the connected ones among them as gone and tell the others; after the last one the call is over."""
    gone = list(visit.participants.filter(whom, joined_at__isnull=False, left_at=None).values_list("pk", flat=True))
    if not gone:
        return []
    visit.participants.filter(pk__in=gone).update(left_at=now())
    rest = visit.participants.filter(joined_at__isnull=False, left_at=None).values_list("pk", flat=True)
    for left in gone:
        steps.tell(visit, {other: PeerLeft(left) for other in rest})
    if not rest and may(visit.state, Event.EMPTY):
        steps.move(visit, Event.EMPTY, by=SYSTEM)
    return gone


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
