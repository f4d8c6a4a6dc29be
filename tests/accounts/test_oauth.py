"""OAuth for apps: how one asks, and what an attacker would ask for (RFC 6749, 7636, 9700)."""

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from audit.ledger import Act
from telehealth.accounts.access import Role
from telehealth.accounts.models import Grant
from tests.accounts.apps import App, me
from tests.conformance.routes import flat
from tests.people import Acts, Browser, ClientFor, MakeAccount, Person, body

pytestmark = pytest.mark.django_db


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
