"""Fresh factors for apps (RFC 9470), and who may stand between a person and the consent page."""

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from telehealth.accounts import sessions
from telehealth.accounts.access import Role
from telehealth.accounts.models import AccessToken, Application, Grant, RefreshToken
from telehealth.core import now
from tests.accounts.apps import REDIRECT, App, me
from tests.cast import Cast
from tests.people import Browser, ClientFor, MakeAccount, Person, body

pytestmark = pytest.mark.django_db
ACR = "urn:telehealth:acr:two-factors"
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def app(db: None) -> App:
    Application.objects.create(
        client_id="an-app", name="An app", client_type="public", authorization_grant_type="authorization-code", redirect_uris=REDIRECT
    )
    return App()


@pytest.fixture
def pia(make_account: MakeAccount) -> Person:
    return make_account(Role.PATIENT)


def ask(app: App, browser: Browser, **more: str) -> Any:
    return browser.get("/oauth/authorize/", app.ask(**more))


def told(reply: Any) -> dict[str, str]:
    """What an app is told by a redirect."""
    assert reply.status_code == 302 and reply["Location"].startswith(REDIRECT), reply
    return {name: values[0] for name, values in parse_qs(urlsplit(reply["Location"]).query).items()}


def step_up(browser: Browser, reply: Any, at: datetime | None = None) -> str:
    """The person shows a factor where the redirect leads; the address that they come back to."""
    assert reply.status_code == 302 and reply["Location"].startswith("/step-up/?next="), reply
    session = browser.session
    session[sessions.FACTOR] = (at or now()).isoformat()
    session.save()
    return parse_qs(urlsplit(reply["Location"]).query)["next"][0]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_an_address_asks_an_app_for_a_fresh_factor_and_takes_it(app: App, cast: Cast, client_for: ClientFor) -> None:
    """From the challenge to the answer: 401, the authorisation endpoint with what it said, new tokens, and through."""
    path = f"/api/v1/patients/{cast.pia_record.pk}/consents/"
    browser = client_for(cast.pia, factor_at=now() - AN_HOUR)
    stale = app.tokens(browser)["access_token"]

    reply = Browser().post(path, {}, headers=bearer(stale))
    assert reply.status_code == 400  # what cannot be meant is said first
    given = {"category": "HIV", "recipient": {"kind": "role", "role": "nurse"}, "text_version": "1"}
    reply = Browser().post(path, given, headers=bearer(stale))
    assert (reply.status_code, reply.json()["code"]) == (401, "fresh_factor_required"), reply.content
    challenge = dict(re.findall(r'(\w+)="([^"]*)"', reply["WWW-Authenticate"]))
    assert challenge["error"] == "insufficient_user_authentication"
    assert (challenge["acr_values"], challenge["max_age"]) == (ACR, "300")

    wanted = {name: challenge[name] for name in ("acr_values", "max_age")}
    onward = step_up(browser, ask(app, browser, **wanted))
    assert browser.get(onward).status_code == 200
    answer = told(browser.form(onward, **app.ask(**wanted), allow="true"))
    fresh = body(app.trade(answer["code"]))["access_token"]
    assert Browser().post(path, given, headers=bearer(fresh)).status_code == 201


def test_a_browser_is_answered_as_before(cast: Cast, client_for: ClientFor) -> None:
    browser = client_for(cast.pia, factor_at=now() - AN_HOUR)
    given = {"category": "HIV", "recipient": {"kind": "role", "role": "nurse"}, "text_version": "1"}
    reply = browser.post(f"/api/v1/patients/{cast.pia_record.pk}/consents/", given)
    assert (reply.status_code, reply.json()["code"]) == (403, "fresh_factor_required")


@pytest.mark.parametrize(("age", "fine"), [(10, True), (290, True), (310, False), (-30, False)])
def test_max_age_is_how_long_ago_a_factor_was_shown(app: App, pia: Person, client_for: ClientFor, age: int, fine: bool) -> None:
    """A factor from the future is none: a clock that ran ahead makes nobody fresh."""
    reply = ask(app, client_for(pia, factor_at=now() - timedelta(seconds=age)), max_age="300")
    assert reply.status_code == (200 if fine else 302)


@pytest.mark.parametrize("again", [{"prompt": "login"}, {"max_age": "0"}])
def test_another_sign_in_is_one_after_the_request(app: App, pia: Person, client_for: ClientFor, again: dict[str, str]) -> None:
    browser = client_for(pia)
    first = ask(app, browser, **again)
    onward = step_up(browser, first, at=now() - timedelta(seconds=30))
    assert browser.get(onward)["Location"].startswith("/step-up/")  # an older factor under a newer address
    step_up(browser, first)
    assert browser.get(onward).status_code == 200
    other = onward.replace("state=a-state", "state=another")
    assert browser.get(other)["Location"].startswith("/step-up/")  # the mark is this request's alone
    assert browser.form(other, **app.ask(state="another"), allow="true")["Location"].startswith("/step-up/")
    assert not Grant.objects.exists()


def test_a_stranger_who_is_asked_to_sign_in_again_does_so_once(app: App, pia: Person, client_for: ClientFor) -> None:
    first = ask(app, Browser(), prompt="login")
    assert first["Location"].startswith("/sign-in/?next=")
    onward = parse_qs(urlsplit(first["Location"]).query)["next"][0]
    assert client_for(pia).get(onward).status_code == 200


def test_nobody_is_let_in_silently(app: App, pia: Person, client_for: ClientFor) -> None:
    silent = {"prompt": "none", "scope": "openid"}
    assert told(ask(app, Browser(), **silent))["error"] == "login_required"
    answer = told(ask(app, client_for(pia), **silent))
    assert (answer["error"], answer["state"]) == ("consent_required", "a-state")
    assert told(ask(app, client_for(pia, factor_at=now() - AN_HOUR), **silent, max_age="300"))["error"] == "login_required"
    posted = client_for(pia).form(f"/oauth/authorize/?{urlencode(app.ask(**silent))}", **app.ask(**silent), allow="true")
    assert posted.status_code == 400
    assert not Grant.objects.exists()


@pytest.mark.parametrize("trick", [{"redirect_uri": "https://evil.example/"}, {"client_id": "nobody"}, {"redirect_uri": "//evil.example"}])
def test_errors_are_not_sent_to_strangers_either(app: App, pia: Person, client_for: ClientFor, trick: dict[str, str]) -> None:
    for browser in (Browser(), client_for(pia)):
        for wish in ({"prompt": "none"}, {"acr_values": "urn:of:another"}):
            reply = ask(app, browser, **wish, **trick)
            assert reply.status_code == 400 or reply["Location"].startswith("/sign-in/")


def test_what_we_cannot_do_is_said(app: App, pia: Person, client_for: ClientFor) -> None:
    answer = told(ask(app, client_for(pia), acr_values="urn:of:another phr"))
    assert answer["error"] == "unmet_authentication_requirements"
    assert ask(app, client_for(pia), acr_values=f"phr {ACR}").status_code == 200


@pytest.mark.parametrize(
    "more",
    [
        "&prompt=none+login",
        "&prompt=create",
        "&max_age=-1",
        "&max_age=soon",
        "&max_age=99999999999",
        "&max_age=٣",
        "&max_age=5&max_age=9999",
        "&state=b",
        "&scope=patient",
        "&redirect_uri=https://evil.example/",
        "&client_id=other",
        "&code_challenge_method=plain",
        "&request=eyJhbGciOiJub25lIn0.e30.",
        "&request_uri=https://evil.example/request",
    ],
)
def test_a_request_that_says_two_things_is_not_heard(app: App, pia: Person, client_for: ClientFor, more: str) -> None:
    reply = client_for(pia).get(f"/oauth/authorize/?{urlencode(app.ask())}{more}")
    assert (reply.status_code, "Location" in reply.headers) == (400, False)


def test_every_answer_names_us(app: App, pia: Person, client_for: ClientFor) -> None:
    """Mix-up (RFC 9207): success, refusal and error carry `iss`, so that an app knows whom it is talking to."""
    browser = client_for(pia)
    refused = browser.form("/oauth/authorize/", **app.ask())
    for reply in (app.consent(browser), refused, ask(app, browser, prompt="none"), ask(app, browser, scope="provider")):
        assert told(reply)["iss"] == "http://localhost:8000"
        assert told(reply)["state"] == "a-state"


def test_consent_is_given_on_our_page_only(app: App, pia: Person, client_for: ClientFor) -> None:
    """A form on another site (CSRF) gives nothing, and ours is in no frame (clickjacking)."""
    signed_in = client_for(pia)
    page = signed_in.get("/oauth/authorize/", app.ask())
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert "no-store" in page["Cache-Control"]

    browser = Browser(enforce_csrf_checks=True)
    browser.cookies = signed_in.cookies
    given = {**app.ask(), "allow": "true"}
    assert browser.post("/oauth/authorize/", given, format="multipart").status_code == 403
    page = browser.get("/oauth/authorize/", app.ask())
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    assert token
    given["csrfmiddlewaretoken"] = token[1]
    elsewhere = {"HTTP_ORIGIN": "https://evil.example", "HTTP_REFERER": "https://evil.example/"}
    assert browser.post("/oauth/authorize/", given, format="multipart", **elsewhere).status_code == 403
    assert not Grant.objects.exists()
    ours = {"HTTP_REFERER": "https://testserver/oauth/authorize/", "HTTP_HOST": "testserver"}
    assert "code=" in browser.post("/oauth/authorize/", given, format="multipart", **ours)["Location"]


def test_the_state_comes_back_as_it_was(app: App, pia: Person, client_for: ClientFor) -> None:
    odd = "a b&iss=https://evil.example#?é%20+"
    location = urlsplit(app.consent(client_for(pia), state=odd)["Location"])
    answer = parse_qs(location.query)
    assert (answer["state"], answer["iss"], location.fragment) == ([odd], ["http://localhost:8000"], "")


def test_a_moment_is_a_moment(app: App, pia: Person, client_for: ClientFor) -> None:
    """Clock skew: only our clock counts, and at the end of a life there is nothing left of it."""
    tokens = app.tokens(client_for(pia))
    stored = AccessToken.objects.get()
    assert timedelta(seconds=590) < stored.expires - now() <= timedelta(seconds=600)
    AccessToken.objects.update(expires=now() + timedelta(seconds=2))
    assert me(tokens["access_token"]) == 200
    AccessToken.objects.update(expires=now())
    assert me(tokens["access_token"]) == 401
    AccessToken.objects.update(expires=now() - timedelta(days=14))
    assert app.refresh(tokens["refresh_token"]).status_code == 400
    RefreshToken.objects.update(factor_at=now() + AN_HOUR)
    assert app.refresh(tokens["refresh_token"]).status_code == 400


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example/back",
        "https:///back",
        "https://user@app.example/back",
        "https://app.example/back#here",
        "https://*.app.example/back",
        "https://app.example\\@evil.example/back",
        "myapp:/back",
        "javascript:alert(1)",
        "com.unknown.app:/back",
        "data:text/html,x",
    ],
)
def test_the_operator_cannot_register_an_unsafe_address(make_account: MakeAccount, client_for: ClientFor, settings: Any, uri: str) -> None:
    settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "myapp", "com.clinic.app"]}
    admin = client_for(make_account(Role.ADMINISTRATOR))
    fields = {"client_id": "new", "name": "New", "client_type": "public", "client_secret": ""}
    assert admin.form("/admin/accounts/application/add/", **fields, redirect_uris=uri).status_code == 200
    assert not Application.objects.exists()
    for fine in ("https://app.example/back", "com.clinic.app:/back"):
        assert admin.form("/admin/accounts/application/add/", **{**fields, "client_id": fine[:9]}, redirect_uris=fine).status_code == 302
