"""What the pharmacy network tells us, each message once."""

import hashlib
import hmac

from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from prescribing.errors import MessageIdReused, UnknownMessage, UnsupportedMessage
from prescribing.machine import Event
from prescribing.models import Direction, ScriptMessage
from prescribing.script import Envelope
from prescribing.services.sending import held, settle
from telehealth.core import constraint

TAKEN = {("Status", "000"): Event.TAKEN, ("Status", "010"): Event.ACCEPTED}
KIND = "prescribing.ScriptMessage"


@transaction.atomic
def receive(*, envelope: Envelope, body: bytes, by: Actor) -> None:
    """Take a Status or an Error about something we sent to its sender. A repeat is accepted and changes nothing.

    UnknownMessage: it answers nothing of ours. MessageIdReused: the sender used this id for another body.
    """
    if envelope.kind not in ("Status", "Error"):
        refuse(by, UnsupportedMessage.code, kind=KIND)
        raise UnsupportedMessage
    ours = _answered(envelope, by)
    digest = hashlib.sha256(body).digest()
    if _known(envelope, digest, by):
        return
    with constraint("script_message_of_a_partner_comes_once", MessageIdReused):
        came = ScriptMessage.objects.create(
            prescription=ours.prescription,
            patient_id=ours.patient_id,
            direction=Direction.IN,
            partner=envelope.sender,
            kind=envelope.kind,
            message_id=envelope.message_id,
            relates_to=envelope.relates_to,
            body=body.decode(),
            digest=digest,
            status_code=envelope.code,
        )
    record(by, Act.SCRIPT_RECEIVED, came, detail={"kind": envelope.kind, "code": envelope.code})
    event = TAKEN.get((envelope.kind, envelope.code), Event.FAILED)
    settle(ours, event, said(envelope) if event is Event.FAILED else envelope.code, by=by)


def said(envelope: Envelope) -> str:
    """An Error as one reason code: `script_900_002`."""
    return "_".join(part for part in ("script", envelope.code, envelope.description_code) if part)


def _answered(envelope: Envelope, by: Actor) -> ScriptMessage:
    rows = ScriptMessage.objects.filter(direction=Direction.OUT, message_id=envelope.relates_to, partner=envelope.sender)
    try:
        return held(rows)
    except ScriptMessage.DoesNotExist:
        refuse(by, UnknownMessage.code, kind=KIND)
        raise UnknownMessage from None


def _known(envelope: Envelope, digest: bytes, by: Actor) -> bool:
    earlier = ScriptMessage.objects.filter(direction=Direction.IN, partner=envelope.sender, message_id=envelope.message_id).first()
    if earlier is None:
        return False
    if not hmac.compare_digest(bytes(earlier.digest), digest):
        refuse(by, MessageIdReused.code, kind=KIND, pk=earlier.pk, record_id=earlier.patient_id)
        raise MessageIdReused
    return True
