"""How a request shows who it is from: a session cookie, or an app's bearer token. Both end as an Actor in the unit."""

import hashlib
from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from audit.ledger import Actor, current
from telehealth.accounts import live
from telehealth.accounts.models import AccessToken, User
from telehealth.core import now


class Accounts(BaseBackend):
    """Django's side of a session: the account, while it is switched on. Passwords are checked by `services.sign_in`."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None

    def get_user(self, user_id: UUID) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()


class Session(authentication.SessionAuthentication):
    """A browser: cookie, and for what changes anything a CSRF token. The actor was made by the SessionClock."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        if found is not None:
            _stand_for(request, request.by)  # type: ignore[attr-defined]  # the SessionClock set it
        return found

    def enforce_csrf(self, request: Request) -> None:
        """On Django's own request: through DRF's the check would read and parse the body before any face may."""
        super().enforce_csrf(request._request)  # type: ignore[arg-type]  # noqa: SLF001 - DRF has no public name for it


class Bearer(authentication.BaseAuthentication):
    """An app's access token (RFC 6750), in the header only. One statement; the database knows its hash."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
        parts = authentication.get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        token = self._token(parts[1]) if len(parts) == 2 else None
        if token is None or token.user is None or token.application is None or token.is_expired():
            raise exceptions.AuthenticationFailed
        if token.session is not None:
            live.note_seen(token.session, now())
        _stand_for(request, actor_of(token))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="telehealth", error="invalid_token"'

    def _token(self, raw: bytes) -> AccessToken | None:
        checksum = hashlib.sha256(raw).hexdigest()
        return AccessToken.objects.select_related("user", "application", "session").filter(token_checksum=checksum).first()


def actor_of(token: AccessToken) -> Actor:
    """The person, through this app: never more than the role, narrowed by the token's scopes."""
    person, app = token.user, token.application
    return Actor(
        id=person.pk,
        role=person.role,
        session=token.session_id.hex if token.session_id else "",
        client=app.client_id,
        second_factor_at=token.factor_at,
        scopes=frozenset(token.scope.split()),
        guards_minors=person.guards_minors,
    )


def _stand_for(request: Request, actor: Actor) -> None:
    request.by = actor  # type: ignore[attr-defined]
    current().become(actor)
