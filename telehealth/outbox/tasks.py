"""The outbox's clock: beat calls this every two seconds, and `later` right after a commit that enqueued."""

from celery import shared_task

from telehealth.outbox import services


@shared_task(name="telehealth.outbox.tasks.deliver", ignore_result=True)
def deliver() -> None:
    services.deliver_due()
