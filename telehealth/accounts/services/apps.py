"""What people's apps hold."""

from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.accounts.models import AccessToken, Grant, RefreshToken, User


@transaction.atomic
def revoke_apps(*, user_id: UUID, by: Actor) -> None:
    """Every code and token of this account is gone; its apps must ask again."""
    for model in (Grant, RefreshToken, AccessToken):
        model.objects.filter(user_id=user_id).delete()
    record(by, Act.APPS_REVOKED, User(pk=user_id))
