"""What waits to leave, for whom the access table lets see it."""

from django.db.models import QuerySet

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.outbox.models import Message


def messages_for(by: Actor, state: str = "") -> QuerySet[Message]:
    """All messages, of one state if given; or none."""
    if Scope.ALL not in granted(by, Action.SEARCH, Resource.OUTBOX):
        return Message.objects.none()
    return Message.objects.filter(state=state) if state else Message.objects.all()
