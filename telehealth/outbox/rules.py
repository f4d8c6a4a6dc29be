"""Who may touch what waits to leave."""

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.outbox.models import Message


def may_send_again(by: Actor, message: Message) -> bool:
    """Whom the access table gives the outbox to: administrators. They see ids."""
    return Scope.ALL in granted(by, Action.ACT, Resource.OUTBOX)
