"""The clock's face."""

from celery import shared_task

from audit.ledger import SYSTEM
from scheduling import selectors, services


@shared_task(name="scheduling.tasks.offer_freed", ignore_result=True)
def offer_freed() -> None:
    """After anything that freed time, and every half minute: holds that ran out are let go, and who waits is offered what is free."""
    services.sweep_holds(by=SYSTEM)
    for offer_id in selectors.offers_to_settle(SYSTEM):
        services.settle_offer(offer_id=offer_id, by=SYSTEM)
    for entry_id in selectors.waited_in_vain(SYSTEM):
        services.give_up_waiting(entry_id=entry_id, by=SYSTEM)
    for entry_id in selectors.waiting_in_order(SYSTEM):
        services.offer_next(entry_id=entry_id, by=SYSTEM)


@shared_task(name="scheduling.tasks.remind", ignore_result=True)
def remind() -> None:
    services.make_reminders(by=SYSTEM)


@shared_task(name="scheduling.tasks.keep_expanded")
def keep_expanded() -> None:
    """Every hour: hours reach far enough ahead, and are those of the time zone database that is there now."""
    for practitioner_id in selectors.schedules_due():
        services.expand(practitioner_id=practitioner_id, by=SYSTEM)


@shared_task(name="scheduling.tasks.read_calendars", ignore_result=True)
def read_calendars() -> None:
    """Every minute: calendars elsewhere that are due are looked at; each is every quarter of an hour."""
    services.read_busy_calendars(by=SYSTEM)
