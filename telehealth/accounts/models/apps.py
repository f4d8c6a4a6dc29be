"""The OAuth tables, swapped in for django-oauth-toolkit's: codes and tokens are kept as hashes only, and each
remembers the account's epoch and when its second factor was shown."""

import hashlib
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from telehealth.accounts.models.people import User
from telehealth.accounts.models.sessions import Session


class Digest(str):
    """A stored hash: never mistaken for something that a client sent."""

    __slots__ = ()


def digest(value: str) -> Digest:
    return Digest("sha256$" + hashlib.sha256(value.encode()).hexdigest())


class HashedCodeField(models.CharField):  # type: ignore[type-arg]
    """Keeps SHA-256 of what is given, on writing and on lookup alike. Only a `Digest` read back stays as it is, so a
    hash stolen from the database is hashed once more and finds nothing."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return prepared if prepared is None or isinstance(value, Digest) else digest(prepared)

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Digest | None:
        return None if value is None else Digest(value)


class Application(AbstractApplication):  # type: ignore[misc]  # the toolkit is untyped
    """An app that people may let act for them; registered by the operator, never by itself."""

    class Meta(AbstractApplication.Meta):  # type: ignore[misc]
        verbose_name = _("application")

    def clean(self) -> None:
        """The toolkit's rules, and: https with a host, or a scheme of one's own that is a domain name turned round."""
        super().clean()
        if any(not redirect_is_usable(uri) for uri in self.redirect_uris.split()):
            raise ValidationError({"redirect_uris": _("An address is https, or a scheme like org.example.app; no fragment, no user.")})


def redirect_is_usable(uri: str) -> bool:
    """Whether codes may be sent there (RFC 8252 sections 7.1 and 7.2, RFC 9700 section 2.1)."""
    if set(uri) & set("#*\\") or not uri.isascii() or not uri.isprintable():
        return False
    scheme, _colon, rest = uri.partition(":")
    if scheme == "https":
        host = rest.removeprefix("//").partition("/")[0]
        return rest.startswith("//") and bool(host) and "@" not in host
    return "." in scheme  # whether the operator named it (`APP_SCHEMES`), the toolkit asks, here and at every redirect


class Proven(models.Model):
    """What a code or token carries from the session that gave it. It is worth nothing once the account's epoch moved."""

    epoch = models.PositiveIntegerField(default=0)
    factor_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def stands(self) -> bool:
        """Whether the account is as it was: switched on, not recovered since."""
        user: User | None = getattr(self, "user", None)
        return user is not None and user.is_here and user.epoch == self.epoch


class Held(Proven):
    """A token: worth nothing once the session that it belongs to has ended."""

    session = models.ForeignKey(Session, models.SET_NULL, null=True, related_name="+")

    class Meta:
        abstract = True

    def stands(self) -> bool:
        """Whether account and session are as they were."""
        session: Session | None = self.session
        return super().stands() and (session is None or session.ended_at is None)


class Grant(Proven, AbstractGrant):  # type: ignore[misc]  # noqa: DJ008  # __str__: the toolkit's
    """An authorisation code, for 60 seconds and one use."""

    code = HashedCodeField(max_length=71, unique=True)

    class Meta(AbstractGrant.Meta):  # type: ignore[misc]
        pass


class AccessToken(Held, AbstractAccessToken):  # type: ignore[misc]  # noqa: DJ008  # __str__: the toolkit's
    class Meta(AbstractAccessToken.Meta):  # type: ignore[misc]
        pass

    def is_expired(self) -> bool:
        """Over, by time or because the account's codes and tokens were all ended."""
        return not self.stands() or super().is_expired()


class RefreshToken(Held, AbstractRefreshToken):  # type: ignore[misc]  # noqa: DJ008  # __str__: the toolkit's
    class Meta(AbstractRefreshToken.Meta):  # type: ignore[misc]
        pass


class IDToken(AbstractIDToken):  # type: ignore[misc]
    """Unused until OpenID Connect is switched on; swapped now because it cannot be later."""

    class Meta(AbstractIDToken.Meta):  # type: ignore[misc]
        pass
