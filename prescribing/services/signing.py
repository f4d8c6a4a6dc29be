"""Signing: from here on a prescription never changes, and it is on its way."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from audit.ledger import Act, Actor, record
from consults.canonical import digest
from consults.states import Encounter
from prescribing import content, script
from prescribing.checks import Order
from prescribing.errors import CannotBeSent, VisitNotUnderWay
from prescribing.machine import Event
from prescribing.models import Direction, Prescription, ScriptMessage
from prescribing.script import NotScript
from prescribing.services.writing import following, locked, orderable, reachable
from telehealth.accounts.access import Action
from telehealth.accounts.services import prove, prove_passkey
from telehealth.core import now
from telehealth.outbox.services import enqueue
from telehealth.vault import signing


@transaction.atomic
def sign(*, prescription_id: UUID, by: Actor, code: str = "", passkey: Mapping[str, Any] | None = None) -> Prescription:
    """Sign with a second factor of its own, a code or a passkey's answer (`state`, `answer`) to what was asked for this
    prescription, and put it into the outbox in the same transaction.

    The message is rendered and checked before the code is used up: what cannot be sent is not signed. Every try to
    deliver sends these bytes under this MessageID.
    """
    prescription = locked(prescription_id, Action.SIGN, by=by)
    status = following(prescription, Event.SIGN)
    _still_orderable(prescription, by)
    moment = now().replace(microsecond=0)
    said = content.content_of(prescription, moment)
    message_id = uuid4().hex
    body = _rendered(said, message_id)
    if passkey is None:
        prove(by=by, code=code)
    else:
        prove_passkey(state=passkey["state"], answer=passkey["answer"], by=by)
    _seal(prescription, content.as_bytes(said), moment, by)
    prescription.status = status
    prescription.version += 1
    prescription.save(update_fields=["status", "version", "content", "digest", "signature", "key_id", "signed_at"])
    record(by, Act.PRESCRIPTION_SIGNED, prescription, detail={"key": str(prescription.key_id)})
    _queue(prescription, message_id, body)
    return prescription


def _still_orderable(prescription: Prescription, by: Actor) -> None:
    """What was fit when it was written may not be any more: visits are called off, the formulary and the pharmacies change."""
    if prescription.visit.status == Encounter.CANCELLED:
        raise VisitNotUnderWay
    names = ("sig", "note", "quantity", "days_supply", "refills", "substitution")
    order = Order(**{name: getattr(prescription, name) for name in names})
    orderable(prescription.medication.rxcui, order, prescription.patient_id, by=by)
    reachable(prescription.pharmacy.ncpdp_id)


def _rendered(said: dict[str, Any], message_id: str) -> bytes:
    if not (settings.PHARMACY_NETWORK_URL and settings.SCRIPT_CLINIC_ID):
        raise CannotBeSent(reply={"errors": [{"field": "network", "code": "not_configured"}]})
    try:
        return script.new_rx(said, message_id=message_id, clinic_id=settings.SCRIPT_CLINIC_ID)
    except NotScript as misfit:
        raise CannotBeSent(reply={"errors": [{"field": "message", "code": "does_not_fit"}]}) from misfit


def _seal(prescription: Prescription, raw: bytes, moment: datetime, by: Actor) -> None:
    if by.id is None:
        raise CannotBeSent
    signature = signing.sign(by.id, raw)
    prescription.content = raw.decode()
    prescription.digest = digest(raw)
    prescription.signature, prescription.key_id = signature.value, signature.key_id
    prescription.signed_at = moment


def _queue(prescription: Prescription, message_id: str, body: bytes) -> None:
    message = ScriptMessage.objects.create(
        prescription=prescription,
        patient_id=prescription.patient_id,
        direction=Direction.OUT,
        partner=prescription.pharmacy.ncpdp_id,
        kind="NewRx",
        message_id=message_id,
        body=body.decode(),
        digest=hashlib.sha256(body).digest(),
    )
    enqueue(destination="pharmacy", kind="newrx", object_id=message.pk, ordering_key=str(prescription.pk), key=message_id)
