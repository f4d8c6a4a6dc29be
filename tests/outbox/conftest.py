from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from pytest_django import Settings

from audit.ledger import SYSTEM, unit, uuid7
from telehealth.core import now
from telehealth.outbox import services
from telehealth.outbox.models import Message, Purpose, State
from telehealth.outbox.rules import GATEWAY
from tests.outbox import handlers


@pytest.fixture
def destinations(settings: Settings) -> Iterator[list[tuple[str, str, str]]]:
    """Destinations of the tests' own, and what they were told."""
    settings.OUTBOX_HANDLERS = handlers.PATHS
    settings.OUTBOX_PARKED = {"poison": "tests.outbox.handlers.parked"}
    settings.OUTBOX_BACKOFF_SECONDS = (60, 300, 900, 3600)
    handlers.told.clear()
    yield handlers.told
    handlers.told.clear()


@pytest.fixture(autouse=True)
def in_a_unit() -> Iterator[None]:
    with unit(SYSTEM, channel="task", reason="test"):
        yield


def put(destination: str, kind: str = "hello", ordering_key: str = "", key: str = "") -> Message:
    """One message, committed."""
    with transaction.atomic():
        return services.enqueue(destination=destination, kind=kind, object_id=uuid7(), ordering_key=ordering_key, key=key)


def agree(number: str, *purposes: str, verdict: str = "given") -> None:
    """The holder of the number says so, by text."""
    services.say_consent(number=number, purposes=purposes or Purpose.values, verdict=verdict, source="sms", by=GATEWAY)


def time_passes(seconds: int) -> None:
    """As if the rows' due times were that much longer ago."""
    for message in Message.objects.filter(state=State.PENDING):
        message.due_at -= timedelta(seconds=seconds)
        message.save(update_fields=["due_at"])


def wait_of(message: Message) -> int:
    message.refresh_from_db()
    return round((message.due_at - now()).total_seconds())
