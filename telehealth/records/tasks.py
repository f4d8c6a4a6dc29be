"""The clock's face."""

from celery import shared_task

from audit.ledger import SYSTEM
from telehealth.records import services


@shared_task(name="telehealth.records.tasks.follow_ages")
def follow_ages() -> None:
    """Every hour: who has come of age is represented by nobody who was given that as a parent."""
    services.follow_ages(by=SYSTEM)
