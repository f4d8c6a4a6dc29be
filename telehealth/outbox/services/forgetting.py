from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.ledger import Act, Actor, record
from telehealth.outbox.models import ContactPreference, Message, State

REASON = "record_destroyed"


def forget_messages(*, people: Sequence[UUID], objects: Sequence[UUID], using: str, by: Actor) -> int:
    """What waits to leave to these people or about these things does not leave: there is nothing to say any more, and no wish how.
    What numbers agreed to stays: it holds no number, and is the proof that they were asked."""
    with transaction.atomic(using=using):
        waiting = Message.objects.using(using).filter(
            Q(person_id__in=people) | Q(object_id__in=objects), state__in=[State.PENDING, State.PARKED]
        )
        ContactPreference.objects.using(using).filter(person_id__in=people).delete()
        count = waiting.update(state=State.SKIPPED, reason=REASON)
        if count:
            record(by, Act.OUTBOX_SKIPPED, reason=REASON, detail={"count": count}, using=using)
    return count
