"""What people's apps hold."""

from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.accounts.errors import RedirectUnusable
from telehealth.accounts.models import AccessToken, Application, Grant, RefreshToken, User
from telehealth.accounts.models.apps import redirect_is_usable


@transaction.atomic
def revoke_apps(*, user_id: UUID, by: Actor) -> None:
    """Every code and token of this account is gone; its apps must ask again."""
    for model in (Grant, RefreshToken, AccessToken):
        model.objects.filter(user_id=user_id).delete()
    record(by, Act.APPS_REVOKED, User(pk=user_id))


@transaction.atomic
def register_app(*, app: Application, by: Actor) -> Application:
    """An app that people may connect: code with PKCE and nothing else; it never decides whether they are asked.
    RedirectUnusable unless its redirect addresses are https ones or of a scheme of its own."""
    if not all(map(redirect_is_usable, app.redirect_uris.split())):
        raise RedirectUnusable
    app.authorization_grant_type = Application.GRANT_AUTHORIZATION_CODE
    app.skip_authorization = False
    app.hash_client_secret = True
    app.save()
    record(by, Act.APP_REGISTERED, detail={"client": app.client_id})
    return app
