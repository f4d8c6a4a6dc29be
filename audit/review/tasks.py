"""The review's clock: beat calls this every minute."""

from celery import shared_task

from audit.ledger import SYSTEM
from audit.review import services
from audit.review.detectors import READERS

MOST_STEPS = 200  # a million leaves: then another run goes on, and this one's connection and memory are fresh


@shared_task(name="audit.review.tasks.review", ignore_result=True)
def review() -> None:
    """Escalate what is overdue, then read on to the end of the log."""
    services.escalate(by=SYSTEM)
    for reader in READERS:
        for _ in range(MOST_STEPS):
            if not services.detect(reader=reader, by=SYSTEM).moved:
                break


@shared_task(name="audit.review.tasks.remind", ignore_result=True)
def remind() -> None:
    """Tell the privacy officers of incidents whose clock has come to one of its days."""
    services.remind_of_incidents(by=SYSTEM)
