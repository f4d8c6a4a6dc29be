"""An app's bearer token for somebody of the cast."""

from datetime import timedelta

from django.utils import timezone

from audit.ledger import Actor, uuid7
from telehealth.accounts.models import AccessToken, Application, User
from tests.cast import id_of


def token_for(who: Actor) -> str:
    """Good for an hour, with a second factor shown just now."""
    user = User.objects.get(pk=id_of(who))
    app = Application.objects.create(client_id=uuid7().hex, client_type="public", authorization_grant_type="authorization-code")
    token = uuid7().hex
    in_an_hour = timezone.now() + timedelta(hours=1)
    AccessToken.objects.create(
        user=user, application=app, token=token, scope="patient", expires=in_an_hour, factor_at=timezone.now(), epoch=user.epoch
    )
    return token
