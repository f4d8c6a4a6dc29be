"""What is over and long ago is forgotten here; the ledger keeps its entry."""

from datetime import timedelta

from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.core import now
from telehealth.outbox.models import InboundText, Message, SentText, State

KEPT = timedelta(days=90)
INBOUND_KEPT = timedelta(days=7)  # a repeat that is older is refused by its signature's time


@transaction.atomic
def forget_settled(*, by: Actor) -> int:
    """Delete what was delivered or skipped ninety days ago; what was parked stays until a person has dealt with it."""
    old = Message.objects.filter(state__in=[State.DELIVERED, State.SKIPPED], created_at__lt=now() - KEPT)
    count, _ = old.delete()
    SentText.objects.filter(at__lt=now() - KEPT).delete()
    InboundText.objects.filter(at__lt=now() - INBOUND_KEPT).delete()
    if count:
        record(by, Act.OUTBOX_TIDIED, detail={"count": count})
    return count
