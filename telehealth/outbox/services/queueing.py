"""Putting messages into the outbox."""

import re
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from audit.ledger import uuid7
from telehealth.core import later
from telehealth.outbox import texts
from telehealth.outbox.models import Message

CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")


def enqueue(
    *,
    destination: str,
    kind: str,
    object_id: UUID,
    ordering_key: str = "",
    key: str = "",
    person_id: UUID | None = None,
) -> Message:
    """Promise a delivery in the caller's transaction: it leaves if and only if that commits.

    Messages of one destination and ordering key are delivered in this order. A key that is known already
    adds nothing. Outside a transaction, or for a destination nobody handles, this raises.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("enqueue() belongs into the transaction of its cause")
    if destination not in settings.OUTBOX_HANDLERS or not CODE.fullmatch(kind):
        raise LookupError(f"no such destination or kind: {destination}, {kind}")
    message, _ = Message.objects.get_or_create(
        key=key or uuid7().hex,
        defaults={
            "destination": destination,
            "kind": kind,
            "object_id": object_id,
            "ordering_key": ordering_key,
            "person_id": person_id,
        },
    )
    later("telehealth.outbox.tasks.deliver")
    return message


def notify(*, person_id: UUID, kind: str, about_id: UUID) -> None:
    """Tell a person something happened, by every channel that the kind goes out on. The text holds no health data.

    `person_id` is an account or an invitation: who that is, and where they are reached, is looked up when it leaves.
    """
    for channel in texts.TEXTS[kind].channels:
        enqueue(destination=channel, kind=kind, object_id=about_id, person_id=person_id, ordering_key=str(person_id))
