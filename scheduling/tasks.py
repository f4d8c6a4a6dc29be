"""The clock's face."""

from celery import shared_task

from audit.ledger import SYSTEM
from scheduling import selectors, services


@shared_task(name="scheduling.tasks.offer_freed", ignore_result=True)
def offer_freed() -> None:
    """After anything that freed time, and every half minute: holds that ran out are let go."""
    services.sweep_holds(by=SYSTEM)


@shared_task(name="scheduling.tasks.remind", ignore_result=True)
def remind() -> None:
    services.make_reminders(by=SYSTEM)


@shared_task(name="scheduling.tasks.keep_expanded")
def keep_expanded() -> None:
    """Every hour: hours reach far enough ahead, and are those of the time zone database that is there now."""
    for practitioner_id in selectors.schedules_due():
        services.expand(practitioner_id=practitioner_id, by=SYSTEM)
