"""One step of a visit: the three machines move together, the version rises, and on commit the sockets are told."""

from functools import partial
from uuid import UUID

import msgspec
import structlog
from django.db import transaction
from django.db.models import QuerySet
from redis.exceptions import RedisError

import scheduling.services
from audit.ledger import Actor
from consults import selectors
from consults.errors import NotInThisState
from consults.mailboxes import desk, names
from consults.mailboxes.sealing import Seal
from consults.models import Participant, Visit
from consults.protocol.outgoing import Outgoing, StateChanged
from consults.states import ENDED, Appointment, Event, IllegalStepError, State, step
from telehealth.core import now, one

log = structlog.get_logger(__name__)
TIMES = {
    Event.CHECK_IN: "checked_in_at",
    Event.ADMIT: "admitted_at",
    Event.CONNECT: "started_at",
    Event.EMPTY: "last_left_at",
}
ONCE = {"started_at"}


def locked(rows: QuerySet[Visit], visit_id: UUID) -> Visit:
    """The visit, ours until the transaction ends; Missing when it is not among `rows`."""
    return one(rows.select_for_update(of=("self",)), visit_id)


def move(visit: Visit, event: Event, *fields: str, by: Actor) -> None:
    """Take the step or raise NotInThisState; `fields` were set by the caller and are saved with it."""
    before = visit.state
    try:
        after = step(before, event)
    except IllegalStepError as error:
        raise NotInThisState(event=event) from error
    _write_appointment(visit, before, after, by)
    visit.waiting, visit.status = after.waiting, after.encounter
    touched = ["waiting", "status", *_stamp(visit, event), *fields]
    keep(visit, *touched)


def keep(visit: Visit, *fields: str) -> None:
    """Save the fields under a new version; on commit older rights are void and everybody concerned looks again."""
    seal = Seal(visit.signal_key, visit.pk) if visit.signal_key else None
    visit.version += 1
    if visit.status in ENDED:
        visit.signal_key = ""
        fields = (*fields, "signal_key")
    visit.save(update_fields={"version", "changed_at", *fields})
    participants = list(visit.participants.all())
    transaction.on_commit(partial(_publish, visit, participants, seal))


def tell(visit: Visit, messages: dict[UUID, Outgoing]) -> None:
    """On commit, put the server's own messages into these participants' mailboxes."""
    if messages and visit.signal_key:
        transaction.on_commit(partial(_post, visit.pk, Seal(visit.signal_key, visit.pk), messages), robust=True)


def _stamp(visit: Visit, event: Event) -> list[str]:
    named = [TIMES[event]] if event in TIMES else []
    named = [name for name in named if name not in ONCE or getattr(visit, name) is None]
    if visit.status in ENDED and visit.ended_at is None:
        named.append("ended_at")
    for name in named:
        setattr(visit, name, now())
    return named


def _write_appointment(visit: Visit, before: State, after: State, by: Actor) -> None:
    if before.appointment == after.appointment:
        return
    setters = {
        Appointment.ARRIVED: scheduling.services.arrive,
        Appointment.FULFILLED: scheduling.services.fulfil,
    }
    setters[after.appointment](appointment_id=visit.appointment_id, by=by)


def _publish(visit: Visit, participants: list[Participant], seal: Seal | None) -> None:
    """Nothing here can undo the commit: without Redis the rights expire by themselves within seconds."""
    inside = {p.pk for p in selectors.admitted(participants, visit)}
    news = StateChanged(waiting=visit.waiting, status=visit.status)
    try:
        desk.revoke(visit.pk, visit.version, [p.pk for p in participants if p.pk not in inside])
        if seal is not None:
            _post(visit.pk, seal, {p.pk: news for p in participants})
        desk.nudge(visit.pk, "visit.changed")
        _tell_queue(visit)
    except RedisError:
        log.warning("visit not published")


def _post(visit_id: UUID, seal: Seal, messages: dict[UUID, Outgoing]) -> None:
    for member, message in messages.items():
        desk.post(visit_id, member, seal.close(msgspec.json.encode(message), member))
    desk.nudge(visit_id, "visit.look")


def _tell_queue(visit: Visit) -> None:
    at = visit.changed_at.isoformat()
    news = {"type": "queue.visit", "id": str(visit.pk), "waiting": visit.waiting, "status": visit.status, "at": at}
    for group in (names.QUEUE, f"{names.QUEUE}.{visit.practitioner_id}"):
        desk.send(group, news)
