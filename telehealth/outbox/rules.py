"""Who may touch what waits to leave, and who speaks for whom about being told."""

from dataclasses import dataclass
from uuid import UUID

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.outbox.models import Message

GATEWAY = Actor(id=None, role="sms_gateway")
"""Whoever holds the secret that the clinic shares with its SMS gateway."""


@dataclass(frozen=True)
class Told:
    """Somebody who is told things: an account, or whoever wrote a text."""

    pk: UUID | None
    by_text: bool = False


def may_send_again(by: Actor, message: Message) -> bool:
    """Whom the access table gives the outbox to: administrators. They see ids."""
    return Scope.ALL in granted(by, Action.ACT, Resource.OUTBOX)


def may_change_contact(by: Actor, told: Told) -> bool:
    """Everybody their own; the desk a caller's."""
    return _for(by, Action.UPDATE, told)


def may_speak_for(by: Actor, told: Told) -> bool:
    """The same; and the gateway, for the number that a text came from."""
    return by == GATEWAY if told.by_text else _for(by, Action.ACT, told)


def _for(by: Actor, action: Action, told: Told) -> bool:
    held = granted(by, action, Resource.CONTACT_PREFERENCE)
    return (Scope.OWN in held and by.id is not None and by.id == told.pk) or Scope.DESK in held
