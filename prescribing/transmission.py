"""The outbox's handler for pharmacies: sends what was signed, and reads the network's immediate answer."""

from audit.ledger import SYSTEM, flush
from prescribing import script, services, wire
from prescribing.errors import Altered
from prescribing.script import Envelope, NotScript
from prescribing.services.receiving import TAKEN, said
from prescribing.wire import Answer, Unreachable
from telehealth.outbox.errors import Park, Retry
from telehealth.outbox.models import Message

WORTH_A_RETRY = ("600", "602")


def deliver(message: Message) -> None:
    """Send one message of a signed prescription. The reading of it is on record before it leaves.

    Retried: no answer, Error 600 and 602. Parked: every other Error, and a prescription that is not what was signed.
    """
    try:
        going = services.outgoing(script_message_id=message.object_id, by=SYSTEM)
    except Altered:
        raise Park("altered") from None
    flush()
    try:
        answer = _understood(wire.post(going.body), going.message_id)
    except Unreachable:
        raise Retry("network_unreachable") from None
    _take(message, answer)


def _understood(answer: Answer, message_id: str) -> Envelope:
    try:
        envelope = script.read(answer.body)
    except NotScript:
        raise Retry(f"network_answered_{answer.status}") from None
    if envelope.relates_to != message_id:
        raise Retry(f"network_answered_{answer.status}")
    return envelope


def _take(message: Message, answer: Envelope) -> None:
    event = TAKEN.get((answer.kind, answer.code))
    if event is not None:
        services.take_answer(script_message_id=message.object_id, event=event, code=answer.code, by=SYSTEM)
    elif answer.code in WORTH_A_RETRY:
        raise Retry(said(answer))
    else:
        raise Park(said(answer))


def parked(message: Message) -> None:
    """The outbox gave it up: the prescription is in error, with the outbox's reason."""
    services.fail(script_message_id=message.object_id, reason=message.reason, by=SYSTEM)
