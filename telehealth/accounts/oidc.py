"""OpenID Connect 1.0: an identity token for apps that ask for `openid`, the keys that prove it, and what describes it all.

The token says who signed in (a number), when and how; nothing about the person. It is stored nowhere. There is no userinfo
address, for there is nothing more to tell.
"""

import re
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.views import View
from jwcrypto import jwk, jwt
from oauth2_provider.oauth2_validators import OAuth2Validator

from telehealth.accounts.app_scopes import available
from telehealth.accounts.errors import ACR
from telehealth.accounts.models import IDToken

GRANT_TYPES = ("authorization_code", "refresh_token")
ALGORITHM = "RS256"
LIFE = 600  # seconds that an identity token is good for
KEYS_MAX_AGE = 3600  # seconds that apps may keep the list of keys
PEM = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)
CLAIMS = ("iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "acr", "amr", "at_hash")


class Identity(OAuth2Validator):  # type: ignore[misc]  # untyped
    """The part of the validator that makes identity tokens: one algorithm, one key, for every client."""

    def finalize_id_token(self, id_token: dict[str, Any], token: Any, token_handler: Any, request: Any) -> str:
        """Sign what oauthlib began (aud, iat, nonce of the authorisation request, at_hash)."""
        shown = request.proven.factor_at
        claims = {name: value for name, value in id_token.items() if name in CLAIMS} | {
            "iss": issuer(),
            "sub": str(request.user.pk),
            "exp": id_token["iat"] + LIFE,
            "auth_time": int(shown.timestamp()),
            "acr": ACR,
            "amr": ["mfa"],  # RFC 8176: several factors; which ones is nobody's business
        }
        key = signing_key()
        signed = jwt.JWT(header={"typ": "JWT", "alg": ALGORITHM, "kid": key.thumbprint()}, claims=claims)
        signed.make_signed_token(key)
        return str(signed.serialize())

    def refresh_id_token(self, request: Any) -> bool:
        """Who signed in, and when, was said once; a refresh adds nothing to it."""
        return False

    def validate_silent_login(self, request: Any) -> bool:
        """Nobody is signed in without being asked."""
        return False

    def validate_silent_authorization(self, request: Any) -> bool:
        """Consent is asked for each time."""
        return False

    def _load_id_token(self, token: str) -> IDToken | None:
        return None  # stored nowhere, and accepted nowhere in place of an access token


def issuer() -> str:
    """What apps know us by (RFC 8414, 9207)."""
    return str(settings.PUBLIC_URL).rstrip("/")


def signing_key() -> jwk.JWK:
    """The one key that signs."""
    return _read(settings.OIDC_SIGNING_KEY)[0]


def published_keys() -> list[dict[str, str]]:
    """The public halves: of the key that signs, of those that will, and of those that did."""
    keys = [*_read(settings.OIDC_SIGNING_KEY), *_read(settings.OIDC_OTHER_KEYS)]
    return [{**key.export_public(as_dict=True), "use": "sig", "alg": ALGORITHM, "kid": key.thumbprint()} for key in keys]


@lru_cache(maxsize=8)
def _read(text: str) -> tuple[jwk.JWK, ...]:
    """RSA keys, private or public, one PEM after the other."""
    return tuple(map(_key, PEM.findall(text)))


def _key(pem: str) -> jwk.JWK:
    try:
        made = jwk.JWK.from_pem(pem.encode())
    except ValueError:
        raise ImproperlyConfigured("a key of OIDC cannot be read") from None
    if made["kty"] != "RSA":
        raise ImproperlyConfigured("the keys of OIDC are RSA keys")
    return made


def described() -> dict[str, Any]:
    """RFC 8414 and OpenID Connect Discovery 1.0 in one: what there is, and nothing more."""

    def address(name: str) -> str:
        return issuer() + reverse(name)

    told: dict[str, Any] = {
        "issuer": issuer(),
        "authorization_endpoint": address("oauth-authorize"),
        "token_endpoint": address("oauth-token"),
        "revocation_endpoint": address("oauth-revoke"),
        "introspection_endpoint": address("oauth-introspect"),
        "scopes_supported": available(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": True,
        "acr_values_supported": [ACR],
        "prompt_values_supported": ["none", "login", "consent"],
    }
    if "openid" in told["scopes_supported"]:
        told |= {
            "jwks_uri": address("oauth-keys"),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "claims_supported": list(CLAIMS),
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }
    return told


class Metadata(View):
    """`/.well-known/oauth-authorization-server` and `/.well-known/openid-configuration`."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse(described())


class Keys(View):
    """The JSON Web Key Set (RFC 7517)."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        reply = JsonResponse({"keys": published_keys()})
        reply["Cache-Control"] = f"public, max-age={KEYS_MAX_AGE}"
        return reply
