"""Every write of the outbox."""

from telehealth.outbox.services.contact import change_preference, say_consent
from telehealth.outbox.services.delivering import deliver_due
from telehealth.outbox.services.forgetting import forget_messages
from telehealth.outbox.services.inbound import take_text
from telehealth.outbox.services.mending import send_again
from telehealth.outbox.services.queueing import enqueue, notify
from telehealth.outbox.services.tidying import forget_settled

__all__ = [
    "change_preference",
    "deliver_due",
    "enqueue",
    "forget_messages",
    "forget_settled",
    "notify",
    "say_consent",
    "send_again",
    "take_text",
]
