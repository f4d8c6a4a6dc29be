"""The clock's face."""

from celery import shared_task

from audit.ledger import SYSTEM
from scheduling import services


@shared_task(name="scheduling.tasks.offer_freed", ignore_result=True)
def offer_freed() -> None:
    """After anything that freed time, and every half minute: holds that ran out are let go."""
    services.sweep_holds(by=SYSTEM)


@shared_task(name="scheduling.tasks.remind", ignore_result=True)
def remind() -> None:
    services.make_reminders(by=SYSTEM)
