"""Taking messages out of the outbox.

A worker leases a message in one short transaction, delivers it in none, and settles it in another: whoever dies
in between leaves it pending, and it is delivered again, under the same key, once the lease is over.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.module_loading import import_string

from audit.ledger import SYSTEM, Act, EntryNotWritten, record, unit
from telehealth.core import now
from telehealth.core.errors import Unavailable
from telehealth.outbox.errors import NotYet, Park, Retry, Skip
from telehealth.outbox.models import Message, State

ACTS = {State.DELIVERED: Act.OUTBOX_DELIVERED, State.SKIPPED: Act.OUTBOX_SKIPPED, State.PARKED: Act.OUTBOX_PARKED}
Handler = Callable[[Message], None]
log = structlog.get_logger(__name__)


def deliver_due(*, limit: int = 100) -> int:
    """Deliver what is due, at most `limit` messages; the number tried.

    A destination that asks for patience is left alone for the rest of this round, so that one that is down does
    not hold up the others.
    """
    resting: set[str] = set()
    for tried in range(limit):
        message = _lease(resting)
        if message is None:
            return tried
        if not _deliver(message):
            resting.add(message.destination)
    return limit


@transaction.atomic
def _lease(resting: Collection[str]) -> Message | None:
    """The first message that is due and has none of its order before it; ours until the lease ends."""
    earlier = Message.objects.filter(
        state=State.PENDING,
        destination=OuterRef("destination"),
        ordering_key=OuterRef("ordering_key"),
        position__lt=OuterRef("position"),
    ).exclude(ordering_key="")
    message = (
        Message.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(~Exists(earlier), state=State.PENDING, due_at__lte=now())
        .exclude(destination__in=resting)
        .order_by("position")
        .first()
    )
    if message:
        message.attempts += 1
        message.due_at = now() + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
        message.save(update_fields=["attempts", "due_at"])
    return message


def _deliver(message: Message) -> bool:
    """Hand it to its handler inside a unit of its own, and settle what came of it. False: ask again later."""
    with unit(SYSTEM, channel="task", purpose="HOPERAT", reason=f"outbox.{message.kind}"):
        if message.attempts > len(settings.OUTBOX_BACKOFF_SECONDS) + 1:
            return _settle(message, State.PARKED, message.reason or "worker_lost")
        try:
            handler: Handler = import_string(settings.OUTBOX_HANDLERS[message.destination])
            handler(message)
        except Skip as verdict:
            return _settle(message, State.SKIPPED, verdict.reason)
        except Park as verdict:
            return _settle(message, State.PARKED, verdict.reason)
        except Retry as verdict:
            return _postpone(message, verdict)
        except NotYet as verdict:
            return _put_off(message, verdict.reason, verdict.until)
        except EntryNotWritten:
            raise  # nothing may be opened or sent now, for anybody
        except Unavailable as lack:
            return _wait(message, lack)
        except Exception as fault:  # noqa: BLE001 - one handler's fault must not keep back everybody else's messages
            log.error("handler of an outbox message failed", object_id=message.pk, error=type(fault).__name__)
            return _postpone(message, Retry("handler_failed"))
        return _settle(message, State.DELIVERED, "")


def _postpone(message: Message, verdict: Retry) -> bool:
    schedule = settings.OUTBOX_BACKOFF_SECONDS
    if message.attempts > len(schedule):
        return _settle(message, State.PARKED, verdict.reason)
    wait = schedule[message.attempts - 1] if verdict.after_seconds is None else verdict.after_seconds
    with transaction.atomic():
        if held := _still_ours(message):
            held.due_at = now() + timedelta(seconds=wait)
            held.reason = verdict.reason[:60]
            held.save(update_fields=["due_at", "reason"])
    return False


def _wait(message: Message, lack: Unavailable) -> bool:
    """A key cannot be had. That is no fault of the message's: the try does not count."""
    _put_off(message, lack.code, now() + timedelta(seconds=lack.retry_after))
    return False


@transaction.atomic
def _put_off(message: Message, reason: str, until: datetime) -> bool:
    """To another hour; the try does not count."""
    if held := _still_ours(message):
        held.attempts -= 1
        held.due_at = until
        held.reason = reason[:60]
        held.save(update_fields=["attempts", "due_at", "reason"])
    return True


@transaction.atomic
def _settle(message: Message, state: State, reason: str) -> bool:
    """The end of it. What is parked is told to the destination's `OUTBOX_PARKED`, in the same transaction."""
    held = _still_ours(message)
    if held is None:
        return True
    held.state, held.reason = state, reason[:60]
    held.delivered_at = now() if state == State.DELIVERED else None
    held.save(update_fields=["state", "reason", "delivered_at"])
    record(SYSTEM, ACTS[state], held, outcome="failed" if state == State.PARKED else "ok", reason=reason)
    if state == State.PARKED and (told := settings.OUTBOX_PARKED.get(held.destination)):
        import_string(told)(held)
    return True


def _still_ours(message: Message) -> Message | None:
    """The row, locked; or None if our lease ended and somebody else has taken it since."""
    return Message.objects.select_for_update().filter(pk=message.pk, state=State.PENDING, attempts=message.attempts).first()
