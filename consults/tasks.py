"""The clock's face."""

from celery import shared_task

from audit.ledger import SYSTEM
from consults import selectors, services


@shared_task(name="consults.tasks.sweep")
def sweep() -> None:
    """Every half minute: see who is gone, who gave up, who did not come, which appointments are off."""
    for appointment_id in selectors.overdue(SYSTEM):
        services.miss(appointment_id=appointment_id, by=SYSTEM)
    for visit_id in selectors.live_visits(SYSTEM):
        services.part_silent(visit_id=visit_id, by=SYSTEM)
        services.abandon_silent(visit_id=visit_id, by=SYSTEM)
        services.follow_appointments(visit_id=visit_id, by=SYSTEM)
