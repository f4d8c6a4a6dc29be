"""The engine's own housekeeping."""

from celery import shared_task

from telehealth.rest import idempotency


@shared_task(name="rest.tasks.forget_old_keys")
def forget_old_keys() -> None:
    """Idempotency keys are good for a day."""
    idempotency.forget_old()
