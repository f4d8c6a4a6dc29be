"""Putting messages into the outbox."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from audit.ledger import uuid7
from telehealth.core import later, now
from telehealth.outbox import texts
from telehealth.outbox.models import Message, Purpose

CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")


def enqueue(
    *,
    destination: str,
    kind: str,
    object_id: UUID,
    ordering_key: str = "",
    key: str = "",
    person_id: UUID | None = None,
    due_at: datetime | None = None,
    purpose: str = "",
) -> Message:
    """Promise a delivery in the caller's transaction: it leaves if and only if that commits.

    Messages of one destination and ordering key are delivered in this order. A key that is known already
    adds nothing. It leaves at `due_at` at the earliest. Outside a transaction, or for a destination nobody handles,
    this raises.
    """
    _may_promise(destination, kind)
    facts: dict[str, Any] = {"ordering_key": ordering_key, "person_id": person_id, "purpose": purpose, "due_at": due_at or now()}
    facts |= {"destination": destination, "kind": kind, "object_id": object_id}
    if key:
        message, _ = Message.objects.get_or_create(key=key, defaults=facts)
    else:
        message = Message.objects.create(key=uuid7().hex, **facts)
    if message.due_at <= now():
        later("telehealth.outbox.tasks.deliver")
    return message


def _may_promise(destination: str, kind: str) -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("enqueue() belongs into the transaction of its cause")
    if destination not in settings.OUTBOX_HANDLERS or not CODE.fullmatch(kind):
        raise LookupError(f"no such destination or kind: {destination}, {kind}")


def notify(*, person_id: UUID, kind: str, about_id: UUID, due_at: datetime | None = None, key: str = "", purpose: str = "") -> None:
    """Tell a person something happened, by every channel that the kind goes out on. The text holds no health data.

    `person_id` is an account or an invitation: who that is, where they are reached and by which of the channels they
    want to be, is looked up when it leaves. With a `due_at` it waits, as a reminder may, and nothing waits for it. Under a `key` it is said
    once by each channel. `purpose` is the kind's own unless given.
    """
    text = texts.TEXTS[kind]
    purpose = purpose or text.purpose
    waits = due_at is not None or purpose == Purpose.REMINDER
    facts: dict[str, Any] = {"kind": kind, "object_id": about_id, "person_id": person_id, "purpose": purpose}
    facts["ordering_key"] = "" if waits else str(person_id)
    if key or due_at:
        for channel in text.channels:
            enqueue(destination=channel, key=f"{key}:{channel}" if key else "", due_at=due_at, **facts)
    else:
        _at_once(text.channels, kind, facts)


def _at_once(channels: Sequence[str], kind: str, facts: dict[str, Any]) -> None:
    """What is said now and needs no look for whether it was said: all channels in one INSERT."""
    for channel in channels:
        _may_promise(channel, kind)
    moment = now()
    Message.objects.bulk_create(Message(key=uuid7().hex, destination=channel, due_at=moment, **facts) for channel in channels)
    later("telehealth.outbox.tasks.deliver")
