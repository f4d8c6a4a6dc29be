"""Every write of the outbox."""

from telehealth.outbox.services.delivering import deliver_due
from telehealth.outbox.services.mending import send_again
from telehealth.outbox.services.queueing import enqueue, notify

__all__ = ["deliver_due", "enqueue", "notify", "send_again"]
