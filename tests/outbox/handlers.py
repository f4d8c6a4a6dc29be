"""Destinations for tests. What each was told is kept in `told`, as (destination, kind, key)."""

from telehealth.outbox.errors import Park, Retry, Skip
from telehealth.outbox.models import Message

told: list[tuple[str, str, str]] = []
PATHS = {name: f"tests.outbox.handlers.{name}" for name in ("good", "busy", "broken", "poison", "nobody")}


def good(message: Message) -> None:
    _tell(message)


def busy(message: Message) -> None:
    _tell(message)
    raise Retry("line_busy")


def broken(message: Message) -> None:
    _tell(message)
    raise ZeroDivisionError("Mrs Moss")


def poison(message: Message) -> None:
    """Refuses what is called `bad`, takes the rest."""
    _tell(message)
    if message.kind == "bad":
        raise Park("indigestible")


def nobody(message: Message) -> None:
    _tell(message)
    raise Skip("no_phone")


def parked(message: Message) -> None:
    """Told, in the parking transaction, of what was given up."""
    told.append(("parked", message.kind, message.key))


def _tell(message: Message) -> None:
    told.append((message.destination, message.kind, message.key))
