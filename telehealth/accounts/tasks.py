"""The clock's face."""

from celery import shared_task

from audit.ledger import SYSTEM
from telehealth.accounts import services


@shared_task(name="telehealth.accounts.tasks.end_roles")
def end_roles() -> None:
    """Every half minute: roles whose time is over go, and what was given out under them ends."""
    services.end_expired_roles(by=SYSTEM)


@shared_task(name="telehealth.accounts.tasks.remind_reviewers", ignore_result=True)
def remind_reviewers() -> None:
    """Every day: who may confirm roles hears of those that are due, once a week."""
    services.remind_of_roles(by=SYSTEM)
