"""The clock's face."""

from celery import shared_task

from audit.ledger import SYSTEM
from telehealth.records import selectors, services


@shared_task(name="telehealth.records.tasks.follow_ages")
def follow_ages() -> None:
    """Every hour: who has come of age is represented by nobody who was given that as a parent."""
    for grant_id in selectors.guardians_of_minors(SYSTEM):
        services.follow_age(grant_id=grant_id, by=SYSTEM)
