"""The vault's own housekeeping."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from telehealth.vault import files


@shared_task(name="telehealth.vault.tasks.sweep_files")
def sweep_files() -> None:
    """Ciphertext of yesterday whose row never came to be."""
    files.sweep(timezone.now() - timedelta(days=1))
