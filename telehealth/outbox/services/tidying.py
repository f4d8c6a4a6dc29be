"""What is over and long ago is forgotten here; the ledger keeps its entry."""

from datetime import timedelta

from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.core import now
from telehealth.outbox.models import Message, State

KEPT = timedelta(days=90)


@transaction.atomic
def forget_settled(*, by: Actor) -> int:
    """Delete what was delivered or skipped ninety days ago; what was parked stays until a person has dealt with it."""
    old = Message.objects.filter(state__in=[State.DELIVERED, State.SKIPPED], created_at__lt=now() - KEPT)
    count, _ = old.delete()
    if count:
        record(by, Act.OUTBOX_TIDIED, detail={"count": count})
    return count
