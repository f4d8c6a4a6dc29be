"""The same people, each with an app in their hand."""

from datetime import timedelta
from typing import Any

from audit.ledger import uuid7
from telehealth.accounts.models import AccessToken, Application, Session, User
from telehealth.core import now
from tests.conformance.cells.clinic import HOUR, Clinic, Kept


class InAnApp(Kept):
    """A client that carries an access token and has no session in a browser."""

    token: AccessToken

    def put_back(self) -> None:
        """With a factor shown just now."""
        self.put_at = now()
        AccessToken.objects.filter(pk=self.token.pk).update(factor_at=self.put_at)


def in_an_app(clinic: Clinic, who: str, scope: str, **options: Any) -> InAnApp:
    """Good for an hour; `scope` as the person granted it."""
    user, text = User.objects.get(pk=clinic.accounts[who]), uuid7().hex
    app, _ = Application.objects.get_or_create(
        client_id="an-app", client_type="public", authorization_grant_type="authorization-code", redirect_uris="https://app.example/x"
    )
    held = Session.objects.create(account_id=user.pk, kind=Session.Kind.APP, application=app, seen_at=now() + HOUR)
    browser = InAnApp(**options)
    browser.raise_request_exception = False
    browser.token = AccessToken.objects.create(
        user=user, application=app, token=text, scope=scope, expires=now() + timedelta(hours=1), epoch=user.epoch, session=held
    )
    browser.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    browser.put_back()
    return browser
