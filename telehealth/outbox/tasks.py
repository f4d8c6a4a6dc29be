"""The outbox's clock: beat calls this every two seconds, and `later` right after a commit that enqueued; once a day it tidies."""

from celery import shared_task

from audit.ledger import SYSTEM
from telehealth.outbox import services


@shared_task(name="telehealth.outbox.tasks.deliver", ignore_result=True)
def deliver() -> None:
    services.deliver_due()


@shared_task(name="telehealth.outbox.tasks.tidy", ignore_result=True)
def tidy() -> None:
    services.forget_settled(by=SYSTEM)
