"""C4 over the whole surface: every address x every role, and the table's verdict is the server's answer."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.core.management import call_command

from audit.ledger import SYSTEM, Act, Actor, unit, uuid7
from audit.ledger.models import Entry
from config.asgi import application
from config.sockets import sockets
from telehealth.accounts import services
from telehealth.accounts.access import Role, granted
from telehealth.accounts.models import AccessToken, Application
from telehealth.core import now
from tests.conformance.routes import NOBODY, Route, open_doors, routes
from tests.people import Browser, ClientFor, MakeAccount

pytestmark = pytest.mark.django_db

# Addresses that answer strangers, each for a reason; whoever adds one says here why.
OPEN_DOORS = {
    "healthz": "the process is there",
    "readyz": "so are its services",
    "static/<path:path>": "style sheets and scripts",
    "api/schema/": "the description of the interface holds no more than the source",
    "admin/": "behind its own site; tests/accounts/test_admin.py walks it",
    "": "sends everybody on to their start page",
    "sign-in/": "the first factor",
    "sign-in/factor/": "the second, for whoever showed the first",
    "step-up/": "a fresh factor, for whoever showed both",
    "sign-in/recovery/": "a code on paper, for whoever showed the first",
    "passkeys/options/": "a challenge; each purpose asks for what it needs",
    "factors/totp/": "setting the second up, for whoever showed the first and has none, or one more behind a fresh one",
    "factors/passkey/": "the same with a passkey",
    "factors/password/": "one's own, behind a fresh factor",
    "factors/address/": "one's own, behind a fresh factor",
    "factors/address/<str:token>/": "the token is the key",
    "session/": "how long the session lasts, for whoever has one",
    "session/unlock/": "the way back to a locked session, for whoever has one",
    "sign-out/": "ends what there is",
    "invitation/<str:token>/": "the token is the key",
    "appointments/answer/<str:token>/": "the token is the key; only a button's POST does anything",
    "oauth/authorize/": "sends strangers to sign in, like a page",
    "oauth/token/": "a code or a refresh token is the key",
    "oauth/revoke/": "a token is the key",
    "oauth/introspect/": "for confidential clients by their secret",
    "oauth/keys/": "public keys",
    ".well-known/oauth-authorization-server": "where apps find the rest",
    ".well-known/openid-configuration": "the same for those who look here",
    ".well-known/assetlinks.json": "which apps an Android phone opens at our addresses",
    ".well-known/apple-app-site-association": "which apps an iPhone does",
    "audit/log/<path:name>": "the token of a witness is the key; hashes and signatures only",
    "calendars/<str:secret>.ics": "the secret is the key, and what it opens are times",
    "api/v1/sms/inbound/": "signed by the SMS gateway",
    "inbound/script/": "signed by the pharmacy network",
    "dev/outbox": "in a demonstration only",
}


def test_every_address_declares_its_access_or_is_a_known_door() -> None:
    assert open_doors() - set(OPEN_DOORS) == set()


def test_the_faces_and_pages_name_cells_that_somebody_has() -> None:
    everybody = [Actor(id=uuid7(), role=role) for role in Role]
    unreachable = [f"{r.method} {r.route}" for r in routes() if not any(granted(by, *r.access) for by in everybody)]
    assert unreachable == []


@pytest.mark.parametrize("route", routes(), ids=lambda route: f"{route.method} {route.route}")
def test_a_stranger_is_turned_away(route: Route) -> None:
    reply = ask(Browser(), route)
    if route.is_api:
        assert (reply.status_code, reply["WWW-Authenticate"][:6]) == (401, "Bearer")
    else:
        assert (reply.status_code, reply["Location"].partition("?")[0]) == (302, "/sign-in/")


@pytest.mark.parametrize("role", list(Role))
def test_a_password_alone_is_not_enough(make_account: MakeAccount, client_for: ClientFor, role: Role) -> None:
    half = client_for(make_account(role), factor_at=None)
    for route in routes():
        reply = ask(half, route)
        if route.is_api:
            assert (reply.status_code, reply.json()["code"]) == (403, "second_factor_required"), route
        else:
            assert reply["Location"].startswith("/sign-in/factor/"), route


@pytest.mark.parametrize("role", list(Role))
def test_the_servers_answer_is_the_tables_verdict(make_account: MakeAccount, client_for: ClientFor, role: Role) -> None:
    person = make_account(role)
    browser = client_for(person)
    wrong = [verdict for route in routes() if (verdict := disagreement(browser, person.by, route))]
    assert wrong == []


@pytest.mark.parametrize("role", list(Role))
def test_the_same_for_an_app_in_somebodys_hands(make_account: MakeAccount, role: Role) -> None:
    person = make_account(role)
    browser = app_of(person.id)
    by = Actor(id=person.id, role=role, client="an-app", second_factor_at=now(), scopes=frozenset({"patient"}))
    wrong = [verdict for route in routes() if route.is_api and (verdict := disagreement(browser, by, route))]
    assert wrong == []


def test_an_undeclared_or_misdeclared_view_does_not_pass() -> None:
    assert {route.route for route in routes()} & set(OPEN_DOORS) == set()
    assert len(routes()) > 10


def test_no_scope_looks_like_no_such_address(make_account: MakeAccount, client_for: ClientFor) -> None:
    biller = client_for(make_account(Role.BILLER))
    nowhere = biller.get("/api/v1/nowhere/at/all/")
    nobody = biller.get(f"/api/v1/patients/{NOBODY}/")
    closed = biller.get(f"/api/v1/patients/{NOBODY}/resources/")
    assert nowhere.status_code == nobody.status_code == closed.status_code == 404
    assert nowhere.content == nobody.content == closed.content


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pattern", sockets.routes, ids=lambda pattern: str(pattern.pattern))
def test_a_stranger_gets_nothing_over_a_socket(pattern: Any) -> None:
    path = Route(str(pattern.pattern), "get", None, ("", "")).path  # type: ignore[arg-type]
    assert async_to_sync(close_code)(path, b"http://localhost:8000") in (4401, 4403)
    assert async_to_sync(close_code)(path, b"https://evil.example") in (4401, 4403)


def test_the_page_about_access_is_as_the_table_is() -> None:
    call_command("access_table", check=True)


def ask(browser: Browser, route: Route) -> Any:
    browser.raise_request_exception = False
    given = {"format": "json" if route.is_api else "multipart"} if route.method != "get" else {}
    return getattr(browser, route.method)(route.path, {} if route.method != "get" else None, **given)


def disagreement(browser: Browser, by: Actor, route: Route) -> str:
    """Empty when the answer is as the table says: closed with a refusal on record, or not closed by the gate."""
    since = uuid7()
    reply = ask(browser, route)
    refusals = Entry.objects.filter(id__gt=since, act=Act.REFUSED, reason="no_scope", actor_id=by.id).count()
    allowed = bool(granted(by, *route.access))
    told = f"{route.method} {route.path}: allowed {allowed}, answered {reply.status_code}, {refusals} refusals"
    if reply.status_code >= 500 or reply.status_code in (401, 403):
        return told
    return "" if (refusals, reply.status_code == 404 or allowed) == ((0 if allowed else 1), True) else told


def app_of(account_id: Any) -> Browser:
    """A client that carries an app's access token of this account."""
    token = secrets.token_urlsafe(20)
    with unit(SYSTEM, channel="command"):
        app = services.register_app(app=Application(client_id="an-app", client_type="public"), by=SYSTEM)
    given = AccessToken(
        user_id=account_id, application=app, scope="patient", token="", expires=now() + timedelta(minutes=5), factor_at=now()
    )
    given.token_checksum = hashlib.sha256(token.encode()).hexdigest()
    given.save()
    browser = Browser()
    browser.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return browser


async def close_code(path: str, origin: bytes) -> int:
    """Connect, ask to join with nothing to show, and wait for the door to close."""
    wire = WebsocketCommunicator(application, path, headers=[(b"origin", origin), (b"host", b"localhost")], subprotocols=["telehealth.v1"])
    accepted, code = await wire.connect(timeout=5)
    if not accepted:
        return int(code or 0)
    await wire.send_json_to({"type": "join"})
    while True:
        event = await wire.receive_output(timeout=8)
        if event["type"] == "websocket.close":
            return int(event["code"])
        assert '"error"' in event.get("text", ""), event
