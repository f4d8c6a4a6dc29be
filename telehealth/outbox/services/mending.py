"""What a person does about messages that were given up."""

from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.core import later, now, one, permit
from telehealth.outbox import rules
from telehealth.outbox.errors import NotParked
from telehealth.outbox.models import Message, State


@transaction.atomic
def send_again(*, message_id: UUID, by: Actor) -> Message:
    """Put a parked message back in line, under its old key. Anything else raises NotParked."""
    message = one(Message.objects.select_for_update(), message_id)
    permit(by, rules.may_send_again, message)
    if message.state != State.PARKED:
        raise NotParked(message=message.pk)
    message.state, message.attempts, message.due_at = State.PENDING, 0, now()
    message.save(update_fields=["state", "attempts", "due_at"])
    record(by, Act.OUTBOX_SENT_AGAIN, message, detail={"destination": message.destination})
    later("telehealth.outbox.tasks.deliver")
    return message
