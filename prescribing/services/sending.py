"""A signed prescription on its way out: what leaves, and what came of it."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit.ledger import Act, Actor, record
from audit.review.models import Basis
from audit.review.services import Leaving, Recipient, disclose
from prescribing import content
from prescribing.errors import Altered
from prescribing.machine import Event, Status, after
from prescribing.models import Direction, Prescription, ScriptMessage
from telehealth.core import now, one
from telehealth.outbox.services import notify
from telehealth.vault.cipher import Broken


@dataclass(frozen=True)
class Outgoing:
    """One message ready to leave."""

    message_id: str
    body: bytes


@transaction.atomic
def outgoing(*, script_message_id: UUID, by: Actor) -> Outgoing:
    """The message as it was made when the prescription was signed; Altered if anything of either has changed since.

    That it leaves is in the patient's disclosures before it does: also what the network then refuses may have been read."""
    message = one(ScriptMessage.objects.filter(direction=Direction.OUT).select_related("prescription"), script_message_id)
    if wrong := content.faults(message.prescription):
        raise Altered(faults=wrong)
    body = _body(message)
    disclose(patient_id=message.patient_id, leaving=_leaving(message), by=by)
    record(by, Act.PRESCRIPTION_TRANSMITTED, message.prescription, detail={"message": str(message.pk)})
    return Outgoing(message.message_id, body)


def _leaving(message: ScriptMessage) -> Leaving:
    """To whom it goes, in the words that were signed. Once per message: a retry sends the same bytes to the same pharmacy."""
    to = json.loads(message.prescription.content or "{}")["pharmacy"]
    address = ", ".join(filter(None, to["address"].values()))
    purpose = "Treatment: to be dispensed"
    return Leaving(Recipient(to["name"], address), "Prescription", purpose, Basis.TREATMENT, ScriptMessage._meta.label, message.pk)


def _body(message: ScriptMessage) -> bytes:
    try:
        body: bytes = message.body.encode()
    except Broken:
        raise Altered(faults=["message"]) from None
    if not hmac.compare_digest(bytes(message.digest), hashlib.sha256(body).digest()):
        raise Altered(faults=["message"])
    return body


@transaction.atomic
def take_answer(*, script_message_id: UUID, event: Event, code: str, by: Actor) -> None:
    """The network's immediate answer to what we sent."""
    message = held(ScriptMessage.objects.filter(pk=script_message_id))
    settle(message, event, code, by=by)


@transaction.atomic
def fail(*, script_message_id: UUID, reason: str, by: Actor) -> None:
    """It will not be delivered as it stands: the prescriber is told."""
    settle(held(ScriptMessage.objects.filter(pk=script_message_id)), Event.FAILED, reason, by=by)


def held(rows: QuerySet[ScriptMessage]) -> ScriptMessage:
    """The message with its prescription, both locked: answers to one message are taken one after the other."""
    return rows.select_related("prescription__prescriber").select_for_update(of=("self", "prescription")).get()


def settle(message: ScriptMessage, event: Event, code: str, *, by: Actor) -> None:
    """Move the prescription as the table says and put it on record; what changes nothing says nothing."""
    prescription = message.prescription
    status = after(prescription.status, event)
    message.status_code, message.answered_at = code[:20], now()
    message.save(update_fields=["status_code", "answered_at"])
    if status is None or status == prescription.status:
        return
    prescription.status = status
    prescription.failure = code if status == Status.ERROR else ""
    if status == Status.SENT:
        prescription.sent_at = now()
    prescription.version += 1
    prescription.save(update_fields=["status", "failure", "sent_at", "version"])
    _tell(prescription, status, code, by)


ACTS = {
    Status.SENT: Act.PRESCRIPTION_SENT,
    Status.DELIVERED: Act.PRESCRIPTION_DELIVERED,
    Status.ERROR: Act.PRESCRIPTION_FAILED,
}


def _tell(prescription: Prescription, status: Status, code: str, by: Actor) -> None:
    record(by, ACTS[status], prescription, outcome="failed" if status == Status.ERROR else "ok", detail={"code": code})
    account = prescription.prescriber.account_id
    if status == Status.ERROR and account:
        notify(person_id=account, kind="prescription_failed", about_id=prescription.pk)
