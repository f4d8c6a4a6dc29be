"""OAuth for apps: what a client of the demonstration does, and what an attacker would (RFC 6749, 7636, 9700)."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from audit.ledger import Act
from audit.ledger.models import Entry
from telehealth.accounts.access import Role
from telehealth.accounts.models import AccessToken, Application, Grant, RefreshToken, User
from telehealth.core import now
from tests.conformance.routes import flat
from tests.people import Acts, Browser, ClientFor, MakeAccount, Person, body

pytestmark = pytest.mark.django_db
REDIRECT = "https://app.example/callback"


class App:
    """A public client with PKCE."""

    def __init__(self, client_id: str = "an-app") -> None:
        self.client_id = client_id
        self.verifier = secrets.token_urlsafe(48)

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    def ask(self, **other: str | None) -> dict[str, str]:
        wanted = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": "patient offline_access",
            "state": "a-state",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **other,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def consent(self, browser: Browser, **other: str | None) -> Any:
        return browser.form("/oauth/authorize/", **self.ask(**other), allow="true")

    def code(self, browser: Browser) -> str:
        return parse_qs(urlsplit(self.consent(browser)["Location"]).query)["code"][0]

    def trade(self, code: str, **other: str) -> Any:
        given = {"grant_type": "authorization_code", "client_id": self.client_id, "code": code, "redirect_uri": REDIRECT}
        return Browser().form("/oauth/token/", **{**given, "code_verifier": self.verifier, **other})

    def refresh(self, token: str, **other: str) -> Any:
        given = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": token}
        return Browser().form("/oauth/token/", **{**given, **other})

    def tokens(self, browser: Browser) -> dict[str, Any]:
        reply = self.trade(self.code(browser))
        assert reply.status_code == 200, reply.content
        return body(reply)


def me(token: str) -> int:
    return Browser().get("/api/v1/me/", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture
def app(db: None) -> App:
    Application.objects.create(
        client_id="an-app", name="An app", client_type="public", authorization_grant_type="authorization-code", redirect_uris=REDIRECT
    )
    return App()


@pytest.fixture
def pia(make_account: MakeAccount) -> Person:
    return make_account(Role.PATIENT)


@pytest.fixture
def browser(pia: Person, client_for: ClientFor) -> Browser:
    return client_for(pia)


def test_an_app_signs_in_by_code_and_pkce(app: App, browser: Browser, acts: Acts) -> None:
    page = browser.get("/oauth/authorize/", app.ask())
    assert page.status_code == 200
    assert b'name="allow"' in page.content and b"An app" in page.content
    assert "form-action 'self' https:" in page["Content-Security-Policy"]

    answer = parse_qs(urlsplit(app.consent(browser)["Location"]).query)
    assert (answer["state"], answer["iss"]) == (["a-state"], ["http://localhost:8000"])
    reply = app.trade(answer["code"][0])
    tokens = body(reply)

    assert reply["Cache-Control"] == "no-store"
    assert tokens["expires_in"] <= 600
    assert me(tokens["access_token"]) == 200
    assert [act for act in acts() if act.startswith("app.")] == [Act.APP_AUTHORISED, Act.APP_GRANTED]


def test_codes_and_tokens_are_kept_as_hashes_only(app: App, browser: Browser) -> None:
    code = app.code(browser)
    stored = _dump("accounts_grant")
    assert code not in stored and hashlib.sha256(code.encode()).hexdigest() in stored
    tokens = body(app.trade(code))
    everything = _dump("accounts_accesstoken") + _dump("accounts_refreshtoken")
    assert tokens["access_token"] not in everything and tokens["refresh_token"] not in everything


def test_a_stolen_hash_is_no_code(app: App, browser: Browser) -> None:
    app.code(browser)
    stored = Grant.objects.get().code
    assert stored.startswith("sha256$")
    assert app.trade(str(stored)).status_code == 400


def test_nobody_is_asked_before_both_factors(app: App, pia: Person, client_for: ClientFor) -> None:
    stranger, half = Browser(), client_for(pia, factor_at=None)
    assert stranger.get("/oauth/authorize/", app.ask())["Location"].startswith("/sign-in/?next=")
    assert half.get("/oauth/authorize/", app.ask())["Location"].startswith("/sign-in/factor/?next=")
    for browser in (stranger, half):
        assert "/sign-in/" in app.consent(browser)["Location"]
    assert not Grant.objects.exists()


def test_consent_is_asked_for_each_time_and_may_be_refused(app: App, browser: Browser) -> None:
    app.tokens(browser)
    again = browser.get("/oauth/authorize/", app.ask(approval_prompt="auto"))
    assert (again.status_code, Grant.objects.count()) == (200, 0)
    refused = browser.form("/oauth/authorize/", **app.ask())
    assert parse_qs(urlsplit(refused["Location"]).query)["error"] == ["access_denied"]
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "trick",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": "x" * 43, "code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": None},
        {"response_type": "token"},
        *({"response_type": kind} for kind in ("code token", "id_token", "code id_token", "id_token token", "none")),
        {"scope": "patient admin"},
        {"scope": "provider"},
        {"scope": "patient patient.write"},
        {"scope": None},
        {"client_id": "nobody"},
        {"client_id": None},
        {"response_type": None},
        {"response_type": "x"},
    ],
)
def test_weaker_requests_get_no_code(app: App, browser: Browser, trick: dict[str, str | None]) -> None:
    for answer in (browser.get("/oauth/authorize/", app.ask(**trick)), app.consent(browser, **trick)):
        assert "code=" not in answer.headers.get("Location", "")
        assert answer.status_code in (302, 400)
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/callback",
        "https://app.example/callback/",
        "https://app.example/callback/../evil",
        "https://app.example/callback?next=evil",
        "https://app.example/callback#fragment",
        "https://app.example.evil.example/callback",
        "https://app.example@evil.example/callback",
        "https://app.example:444/callback",
        "http://app.example/callback",
        "HTTPS://APP.EXAMPLE/CALLBACK",
        "javascript:alert(1)",
        "https://app.example/callback;x",
        "https://app.example:443/callback",
        "https://APP.example/callback",
        "https://app.example/callback https://evil.example/",
        "https://app.example/%63allback",
        "//app.example/callback",
        "",
    ],
)
def test_nothing_is_sent_to_another_address(app: App, browser: Browser, target: str) -> None:
    for answer in (browser.get("/oauth/authorize/", app.ask(redirect_uri=target)), app.consent(browser, redirect_uri=target)):
        assert answer.status_code == 400
        assert "Location" not in answer.headers


def test_a_code_is_bound_to_its_verifier_address_and_client(app: App, browser: Browser) -> None:
    Application.objects.create(
        client_id="other", client_type="public", authorization_grant_type="authorization-code", redirect_uris=REDIRECT
    )
    for wrong in (
        {"code_verifier": secrets.token_urlsafe(48)},
        {"code_verifier": ""},
        {"redirect_uri": "https://app.example/other"},
        {"client_id": "other"},
    ):
        assert app.trade(app.code(browser), **wrong).status_code in (400, 401)
    assert not AccessToken.objects.exists()


def test_a_replayed_code_ends_what_came_of_it(app: App, browser: Browser) -> None:
    code = app.code(browser)
    tokens = body(app.trade(code))
    renewed = body(app.refresh(tokens["refresh_token"]))
    assert app.trade(code).status_code == 400
    assert me(renewed["access_token"]) == 401
    assert app.refresh(renewed["refresh_token"]).status_code == 400
    assert Entry.objects.filter(act=Act.REFUSED, reason="code_replayed", actor_id__isnull=False).count() == 1


def test_a_code_lives_a_minute(app: App, browser: Browser) -> None:
    code = app.code(browser)
    grant = Grant.objects.get()
    assert grant.expires - now() <= timedelta(seconds=60)
    grant.expires = now()
    grant.save(update_fields=["expires"])
    assert app.trade(code).status_code == 400


def test_refresh_tokens_rotate_and_reuse_ends_the_family(app: App, browser: Browser) -> None:
    first = app.tokens(browser)
    second = body(app.refresh(first["refresh_token"]))
    assert me(first["access_token"]) == 401
    assert me(second["access_token"]) == 200

    assert app.refresh(first["refresh_token"]).status_code == 400

    assert me(second["access_token"]) == 401
    assert app.refresh(second["refresh_token"]).status_code == 400
    assert Entry.objects.filter(act=Act.REFUSED, reason="refresh_token_reused").exists()


def test_another_client_cannot_use_a_refresh_token(app: App, browser: Browser) -> None:
    Application.objects.create(
        client_id="other", client_type="public", authorization_grant_type="authorization-code", redirect_uris=REDIRECT
    )
    tokens = app.tokens(browser)
    assert app.refresh(tokens["refresh_token"], client_id="other").status_code in (400, 401)


def test_a_new_epoch_ends_all_codes_and_tokens(app: App, browser: Browser) -> None:
    code, tokens = app.code(browser), app.tokens(browser)
    move_epoch()
    assert me(tokens["access_token"]) == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 400
    assert app.trade(code).status_code == 400


def test_an_inactive_account_has_no_tokens(app: App, browser: Browser) -> None:
    tokens = app.tokens(browser)
    User.objects.update(is_active=False)
    assert me(tokens["access_token"]) == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_an_expired_forged_or_misplaced_token_is_nothing(app: App, browser: Browser) -> None:
    token = app.tokens(browser)["access_token"]
    assert Browser().get("/api/v1/me/", {"access_token": token}).status_code == 401
    for header in (f"bearer{token}", "Bearer", f"Bearer {token} x", f"Basic {token}", "Bearer é"):
        assert Browser().get("/api/v1/me/", headers={"Authorization": header}).status_code == 401
    assert me(token[:-1]) == 401
    stored = AccessToken.objects.get()
    assert me(stored.token_checksum) == 401
    stored.expires = now()
    stored.save(update_fields=["expires"])
    assert me(token) == 401


def test_a_bad_token_is_not_saved_by_a_good_session(app: App, browser: Browser) -> None:
    assert browser.get("/api/v1/me/", headers={"Authorization": "Bearer nonsense"}).status_code == 401


OTHER_GRANTS = [
    "password",
    "client_credentials",
    "",
    *(f"urn:ietf:params:oauth:grant-type:{name}" for name in ("device_code", "jwt-bearer")),
]


@pytest.mark.parametrize("grant", OTHER_GRANTS)
def test_no_other_grant_is_served(app: App, grant: str) -> None:
    reply = Browser().form("/oauth/token/", client_id="an-app", grant_type=grant, username="a", password="b")
    assert (reply.status_code, body(reply)["error"]) == (400, "unsupported_grant_type")


def test_only_what_is_meant_is_mounted() -> None:
    mounted = {route for route, _ in flat() if route.startswith(("oauth", "o/", ".well-known"))}
    assert mounted == {
        *(f"oauth/{name}/" for name in ("authorize", "token", "revoke", "introspect", "keys")),
        *(f".well-known/{name}" for name in ("oauth-authorization-server", "openid-configuration")),
        *(f".well-known/{name}" for name in ("assetlinks.json", "apple-app-site-association")),
    }
    toolkits = {route for route, view in flat() if getattr(view, "__module__", "").startswith("oauth2_provider")}
    assert toolkits == set()  # each is a class of ours, with its methods named


def test_revocation_ends_access_and_refresh(app: App, browser: Browser) -> None:
    tokens = app.tokens(browser)
    assert Browser().form("/oauth/revoke/", token=tokens["access_token"], client_id="an-app").status_code == 200
    assert me(tokens["access_token"]) == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_introspection_is_for_confidential_clients(app: App, browser: Browser) -> None:
    token = app.tokens(browser)["access_token"]
    for strangers in ({}, {"client_id": "an-app"}, {"client_id": "an-app", "client_secret": ""}):
        assert Browser().form("/oauth/introspect/", token=token, **strangers).status_code in (401, 403)
    Application.objects.create(
        client_id="server", client_secret="a secret", client_type="confidential", authorization_grant_type="authorization-code"
    )
    basic = "Basic " + base64.b64encode(b"server:a secret").decode()
    told = body(Browser().post("/oauth/introspect/", {"token": token}, format="multipart", headers={"Authorization": basic}))
    assert (told["active"], told["client_id"]) == (True, "an-app")
    move_epoch()
    told = body(Browser().post("/oauth/introspect/", {"token": token}, format="multipart", headers={"Authorization": basic}))
    assert told == {"active": False}


def test_an_app_steps_up_with_a_code_of_its_own(app: App, pia: Person, client_for: ClientFor) -> None:
    long_ago = now() - timedelta(minutes=20)
    tokens = app.tokens(client_for(pia, factor_at=long_ago))
    assert AccessToken.objects.get().factor_at == long_ago
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    assert Browser().post("/api/v1/step-up/", {"code": "12"}, headers=headers).status_code == 403
    assert Browser().post("/api/v1/step-up/", {"code": pia.code()}, headers=headers).status_code == 200

    at = AccessToken.objects.get().factor_at
    assert at is not None and now() - at < timedelta(seconds=5)
    app.refresh(tokens["refresh_token"])
    assert AccessToken.objects.get().factor_at == at
    assert RefreshToken.objects.get(revoked=None).factor_at == at


def test_a_bearer_is_recognised_in_one_statement(app: App, browser: Browser, settings: Settings) -> None:
    token = app.tokens(browser)["access_token"]
    settings.ME_EXTRAS = ""
    with CaptureQueriesContext(connection) as asked:
        assert me(token) == 200
    assert len(asked) == 1


def move_epoch() -> None:
    User.objects.update(epoch=7)


def _dump(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg(t::text, '') FROM {table} t")
        return str(cursor.fetchone()[0])


def at_once(*calls: Callable[[], Any]) -> list[int]:
    def run(call: Callable[[], Any]) -> int:
        try:
            return int(call().status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_gets_the_tokens(app: App, browser: Browser) -> None:
    code = app.code(browser)
    assert at_once(*[lambda: app.trade(code)] * 3) == [200, 400, 400]
    tokens = app.tokens(browser)
    assert at_once(*[lambda: app.refresh(tokens["refresh_token"])] * 3) == [200, 400, 400]
    assert not AccessToken.objects.exists()  # somebody replayed: nobody keeps anything


def test_a_client_with_a_nul_in_its_name_is_no_client(make_account: MakeAccount, client_for: ClientFor) -> None:
    asked = App("an\0app").ask()
    assert client_for(make_account(Role.PATIENT)).get("/oauth/authorize/", asked).status_code == 400
    basic = "Basic " + base64.b64encode(b"an\0app:secret").decode()
    for path, told in (
        ("/oauth/token/", {"grant_type": "authorization_code", "code": "x", "code_verifier": "x" * 43}),
        ("/oauth/token/", {"grant_type": "refresh_token", "refresh_token": "x"}),
        ("/oauth/revoke/", {"token": "x"}),
        ("/oauth/introspect/", {"token": "x"}),
    ):
        for reply in (Browser().form(path, client_id="an\0app", client_secret="x", **told), Browser().form(path, **told)):
            assert 400 <= reply.status_code < 500, path
        stranger = Browser()
        stranger.credentials(HTTP_AUTHORIZATION=basic)
        assert 400 <= stranger.form(path, **told).status_code < 500, path
