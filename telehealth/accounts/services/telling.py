"""Whoever changes how somebody signs in does not do so unseen."""

from datetime import timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from telehealth.accounts.models import Mailbox, User
from telehealth.core import now

KEPT = timedelta(days=30)  # longer than the outbox tries


def tell_changed(user: User) -> None:
    """A notice to the address that the account has at this moment, wherever it moves afterwards. The caller's transaction."""
    Mailbox.objects.filter(user=user, created_at__lt=now() - KEPT).delete()
    mailbox = Mailbox.objects.create(user=user, email=user.email)
    import_string(settings.NOTIFY)(person_id=mailbox.pk, kind="factors_changed", about_id=user.pk)
