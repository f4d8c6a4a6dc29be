"""OpenID Connect with a client library that is not ours (authlib), and what its keys and tokens must never do."""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pytest_django import Settings

from config.wsgi import application as server
from telehealth.accounts.access import Role
from telehealth.accounts.models import AccessToken, Application, IDToken
from telehealth.core import now
from tests.accounts.apps import REDIRECT, me
from tests.people import Browser, ClientFor, MakeAccount, Person, body

pytestmark = pytest.mark.django_db
HERE = "https://localhost:8000"
EVERYTHING = "openid patient offline_access"


class Wire(httpx.BaseTransport):
    """To our WSGI application; the test's own transaction outlives each request, as with Django's client."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for signal in (request_started, request_finished):
            signal.disconnect(close_old_connections)
        try:
            reply = httpx.WSGITransport(app=server).handle_request(request)
            reply.read()
            return reply
        finally:
            for signal in (request_started, request_finished):
                signal.connect(close_old_connections)


@pytest.fixture
def pia(make_account: MakeAccount) -> Person:
    return make_account(Role.PATIENT)


@pytest.fixture
def library(db: None) -> Iterator[OAuth2Client]:
    """An app made with authlib, over HTTP to our own WSGI application."""
    Application.objects.create(
        client_id="an-app", name="An app", client_type="public", authorization_grant_type="authorization-code", redirect_uris=REDIRECT
    )
    with OAuth2Client(
        "an-app", redirect_uri=REDIRECT, scope=EVERYTHING, code_challenge_method="S256", token_endpoint_auth_method="none", transport=Wire()
    ) as client:
        yield client


def discovery(client: OAuth2Client) -> dict[str, Any]:
    return dict(client.request("GET", f"{HERE}/.well-known/openid-configuration", withhold_token=True).json())


def here(address: str) -> str:
    return HERE + urlsplit(address).path


def sign_in(client: OAuth2Client, browser: Browser, scope: str = EVERYTHING, **more: str) -> tuple[dict[str, Any], str]:
    """The whole flow by discovery: the tokens, and the nonce that was asked with."""
    told, verifier, nonce = discovery(client), generate_token(48), generate_token(16)
    address, state = client.create_authorization_url(
        told["authorization_endpoint"], code_verifier=verifier, nonce=nonce, scope=scope, **more
    )
    asked = dict(parse_qsl(urlsplit(address).query))
    page = browser.get("/oauth/authorize/", asked)
    assert page.status_code == 200, page
    answer = browser.form(f"/oauth/authorize/?{urlsplit(address).query}", **asked, allow="true")
    token = client.fetch_token(here(told["token_endpoint"]), authorization_response=answer["Location"], state=state, code_verifier=verifier)
    return dict(token), nonce


def keys(client: OAuth2Client) -> KeySet:
    return KeySet.import_key_set(client.request("GET", here(discovery(client)["jwks_uri"]), withhold_token=True).json())


def proved(client: OAuth2Client, token: str, nonce: str) -> dict[str, Any]:
    """What an app does with an identity token: signature by our keys, then each claim (OpenID Connect Core 3.1.3.7)."""
    told = discovery(client)
    read = jwt.decode(token, keys(client), algorithms=told["id_token_signing_alg_values_supported"])
    options = {"iss": {"value": told["issuer"]}, "aud": {"value": "an-app"}}
    claims = CodeIDToken(read.claims, read.header, options, {"nonce": nonce, "client_id": "an-app", "max_age": 300})
    claims.validate(leeway=0)
    return dict(claims)


def test_the_whole_flow_with_a_library(library: OAuth2Client, pia: Person, client_for: ClientFor) -> None:
    shown = now() - timedelta(seconds=90)
    tokens, nonce = sign_in(library, client_for(pia, factor_at=shown))
    claims = proved(library, tokens["id_token"], nonce)

    assert claims["sub"] == str(pia.id)
    assert claims["auth_time"] == int(shown.timestamp())
    assert (claims["acr"], claims["amr"]) == ("urn:telehealth:acr:two-factors", ["mfa"])
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "acr", "amr", "at_hash"}
    assert claims["exp"] - claims["iat"] <= 600
    assert library.get(f"{HERE}/api/v1/me/").json()["id"] == str(pia.id)

    first = tokens["access_token"]
    renewed = library.refresh_token(f"{HERE}/oauth/token/")
    assert (renewed["access_token"] != first, "id_token" in renewed, me(first)) == (True, False, 401)
    assert library.get(f"{HERE}/api/v1/me/").status_code == 200
    library.revoke_token(f"{HERE}/oauth/revoke/", token=renewed["refresh_token"], body="client_id=an-app")
    assert me(renewed["access_token"]) == 401
    assert not IDToken.objects.exists()


def test_an_identity_token_of_another_request_is_noticed(library: OAuth2Client, pia: Person, client_for: ClientFor) -> None:
    tokens, nonce = sign_in(library, client_for(pia))
    proved(library, tokens["id_token"], nonce)
    with pytest.raises(JoseError):
        proved(library, tokens["id_token"], "another-nonce")


def test_a_nonce_given_at_the_end_does_not_count(library: OAuth2Client, pia: Person, client_for: ClientFor) -> None:
    browser, verifier = client_for(pia), generate_token(48)
    address, _ = library.create_authorization_url(f"{HERE}/oauth/authorize/", code_verifier=verifier)
    answer = browser.form("/oauth/authorize/", **dict(parse_qsl(urlsplit(address).query)), allow="true")
    code = dict(parse_qsl(urlsplit(answer["Location"]).query))["code"]
    given = {"grant_type": "authorization_code", "client_id": "an-app", "redirect_uri": REDIRECT, "code": code, "code_verifier": verifier}
    reply = body(Browser().form("/oauth/token/", **given, nonce="mine"))
    assert "nonce" not in json.loads(_decoded(reply["id_token"].split(".")[1]))


def test_without_openid_no_identity_token_and_with_it_alone_nothing_else(library: OAuth2Client, pia: Person, client_for: ClientFor) -> None:
    assert "id_token" not in sign_in(library, client_for(pia), scope="patient")[0]
    alone, _ = sign_in(library, client_for(pia), scope="openid")
    assert ("id_token" in alone, "refresh_token" in alone) == (True, False)
    assert me(alone["access_token"]) == 404


def test_an_identity_token_opens_nothing(library: OAuth2Client, pia: Person, client_for: ClientFor) -> None:
    tokens, _ = sign_in(library, client_for(pia))
    assert me(tokens["id_token"]) == 401
    assert (
        Browser().form("/oauth/token/", grant_type="refresh_token", client_id="an-app", refresh_token=tokens["id_token"]).status_code == 400
    )


def test_forged_identity_tokens_are_noticed(library: OAuth2Client, pia: Person, client_for: ClientFor) -> None:
    """The public key as an HMAC secret, no algorithm at all, and another payload under our signature."""
    tokens, nonce = sign_in(library, client_for(pia))
    header, payload, signature = tokens["id_token"].split(".")
    begun = _encoded(b'{"alg":"HS256"}') + f".{payload}"
    by_public_key = f"{begun}.{_encoded(hmac.digest(keys(library).keys[0].as_pem(private=False), begun.encode(), 'sha256'))}"
    none = _encoded(b'{"alg":"none"}') + f".{payload}."
    other = f"{header}.{_encoded(_decoded(payload).replace(str(pia.id).encode(), b'0' * 36))}.{signature}"
    for forged in (by_public_key, none, other):
        with pytest.raises((JoseError, ValueError)):
            proved(library, forged, nonce)


def test_keys_change_without_a_gap(library: OAuth2Client, pia: Person, client_for: ClientFor, settings: Settings) -> None:
    old, new = settings.OIDC_SIGNING_KEY, _pem()
    before, nonce = sign_in(library, client_for(pia))
    settings.OIDC_OTHER_KEYS = new  # published first
    assert len(keys(library).keys) == 2
    settings.OIDC_SIGNING_KEY, settings.OIDC_OTHER_KEYS = new, old  # then it signs
    after, another = sign_in(library, client_for(pia))

    assert proved(library, before["id_token"], nonce)["sub"] == proved(library, after["id_token"], another)["sub"]
    assert _kid(before["id_token"]) != _kid(after["id_token"])
    settings.OIDC_OTHER_KEYS = ""  # a leaked one goes at once
    with pytest.raises((JoseError, ValueError)):
        proved(library, before["id_token"], nonce)


def test_no_private_half_is_published(library: OAuth2Client, settings: Settings) -> None:
    settings.OIDC_OTHER_KEYS = _pem() + "\n" + _pem()
    reply = Browser().get("/oauth/keys/")
    told = body(reply)["keys"]
    assert [set(key) for key in told] == [{"kty", "n", "e", "use", "alg", "kid"}] * 3
    assert "max-age=3600" in reply["Cache-Control"]


def test_without_a_key_there_is_no_openid(settings: Settings, pia: Person, client_for: ClientFor, library: OAuth2Client) -> None:
    settings.OIDC_SIGNING_KEY = ""
    told = discovery(library)
    assert ("openid" in told["scopes_supported"], "jwks_uri" in told) == (False, False)
    address, _ = library.create_authorization_url(f"{HERE}/oauth/authorize/", code_verifier=generate_token(48))
    refused = client_for(pia).get("/oauth/authorize/", dict(parse_qsl(urlsplit(address).query)))
    assert "error=invalid_scope" in refused["Location"]


def test_both_descriptions_say_the_same_and_nothing_that_is_not_there(library: OAuth2Client) -> None:
    told = discovery(library)
    assert told == body(Browser().get("/.well-known/oauth-authorization-server"))
    addresses = [value for name, value in told.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) == 5
    for address in addresses:
        assert Browser().get(urlsplit(address).path).status_code in (200, 302, 400, 403, 405), address
    assert told["response_types_supported"] == ["code"] and told["code_challenge_methods_supported"] == ["S256"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert not {"userinfo_endpoint", "registration_endpoint", "end_session_endpoint"} & set(told)


def test_introspection_says_how_and_when_the_person_was_there(library: OAuth2Client, pia: Person, client_for: ClientFor) -> None:
    tokens, _ = sign_in(library, client_for(pia))
    Application.objects.create(
        client_id="server", client_secret="a secret", client_type="confidential", authorization_grant_type="authorization-code"
    )
    with OAuth2Client("server", "a secret", transport=Wire()) as other:
        told = other.introspect_token(f"{HERE}/oauth/introspect/", token=tokens["access_token"]).json()
    stored = AccessToken.objects.get()
    assert stored.factor_at is not None
    assert told.pop("exp") == int(stored.expires.timestamp())
    assert told == {
        "active": True,
        "scope": EVERYTHING,
        "client_id": "an-app",
        "iss": "http://localhost:8000",
        "sub": str(pia.id),
        "token_type": "Bearer",
        "acr": "urn:telehealth:acr:two-factors",
        "auth_time": int(stored.factor_at.timestamp()),
    }


def test_phones_are_told_which_apps_open_our_addresses(settings: Settings) -> None:
    for path in ("assetlinks.json", "apple-app-site-association"):
        assert Browser().get(f"/.well-known/{path}").status_code == 404
    settings.PUBLIC_URL = "https://clinic.example"
    settings.ANDROID_APPS, settings.APPLE_APPS = ["org.example.app=AB:CD"], ["TEAM.org.example.app"]
    Application.objects.create(
        client_id="links",
        client_type="public",
        authorization_grant_type="authorization-code",
        redirect_uris="https://clinic.example/app/back https://elsewhere.example/back org.example.app:/back",
    )
    android, apple = (body(Browser().get(f"/.well-known/{path}")) for path in ("assetlinks.json", "apple-app-site-association"))
    assert android[0]["target"]["sha256_cert_fingerprints"] == ["AB:CD"]
    assert android[0]["relation"] == ["delegate_permission/common.handle_all_urls"]
    assert apple == {"applinks": {"details": [{"appIDs": ["TEAM.org.example.app"], "components": [{"/": "/app/back"}]}]}}


def _pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, none).decode()


def _kid(token: str) -> str:
    return str(json.loads(_decoded(token.split(".")[0]))["kid"])


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
