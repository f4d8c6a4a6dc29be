"""What waits to leave, for whom the access table lets see it."""

from django.db.models import QuerySet

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.outbox.models import Message


def messages_for(by: Actor) -> QuerySet[Message]:
    """All messages, or none."""
    seen = Scope.ALL in granted(by, Action.SEARCH, Resource.OUTBOX)
    return Message.objects.all() if seen else Message.objects.none()
