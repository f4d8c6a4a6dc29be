"""Every REST face gets bad input: a documented 4xx as problem JSON, never a 500, never what was sent, back."""

import json
from typing import Any

import pytest

from audit.ledger import Actor, uuid7
from telehealth.accounts.access import Role, granted
from tests.conformance.routes import Route, routes
from tests.people import Browser, ClientFor, MakeAccount

pytestmark = pytest.mark.django_db

ECHO = "CanaryInTheRequest"
DOCUMENTED = {400, 404, 405, 409, 412, 413, 415, 422, 428}
BODIES: dict[str, tuple[bytes, str]] = {
    "no JSON": (b'{"reason": ', "application/json"),
    "not UTF-8": (b'{"reason": "\xff\xfe"}', "application/json"),
    "a list": (b"[1, 2]", "application/json"),
    "a number": (b"1e999", "application/json"),
    "null": (b"null", "application/json"),
    "unknown fields": (json.dumps({ECHO: ECHO, "is_admin": True, "id": str(uuid7())}).encode(), "application/json"),
    "deep": (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "application/json"),
    "NUL": (json.dumps({"reason": f"{ECHO}\x00", "email": "\x00"}).encode(), "application/json"),
    "another type": (f"<a>{ECHO}</a>".encode(), "application/xml"),
    "a form": (f"reason={ECHO}".encode(), "application/x-www-form-urlencoded"),
}
IDS = ("not-an-id", "00000000-0000-0000-0000-000000000000", "..%2f..%2fetc", "%00", "1' OR '1'='1")


def writing() -> list[Route]:
    return [route for route in routes() if route.is_api and route.method != "get"]


@pytest.fixture
def browser_of(make_account: MakeAccount, client_for: ClientFor) -> Any:
    """A browser of somebody whom the table lets through, so that the body is what is wrong."""

    def make(route: Route) -> Browser:
        role = next(role for role in Role if granted(Actor(id=uuid7(), role=role), *route.access))
        browser: Browser = client_for(make_account(role))
        browser.raise_request_exception = False
        return browser

    return make


@pytest.mark.parametrize("route", writing(), ids=lambda route: f"{route.method} {route.route}")
def test_a_body_that_cannot_be_meant(route: Route, browser_of: Any) -> None:
    browser = browser_of(route)
    for name, (body, kind) in BODIES.items():
        reply = browser.generic(route.method.upper(), route.path, body, content_type=kind)
        assert reply.status_code in DOCUMENTED, (name, reply.status_code)
        assert reply["Content-Type"] == "application/problem+json", name
        assert set(reply.json()) >= {"type", "title", "status", "code"}
        assert "Traceback" not in reply.content.decode()
        assert ECHO not in json.dumps({**reply.json(), "errors": [each["code"] for each in reply.json().get("errors", [])]}), name


@pytest.mark.parametrize("route", writing(), ids=lambda route: f"{route.method} {route.route}")
def test_a_body_beyond_the_limit(route: Route, browser_of: Any) -> None:
    reply = browser_of(route).generic(
        route.method.upper(), route.path, b'{"reason": "' + b"x" * 11_000_000 + b'"}', content_type="application/json"
    )
    assert (reply.status_code, reply.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "route", [route for route in routes() if route.is_api and "<uuid:" in route.route], ids=lambda r: f"{r.method} {r.route}"
)
def test_an_id_that_is_none(route: Route, browser_of: Any) -> None:
    browser = browser_of(route)
    for wrong in IDS:
        path = route.path.replace(str(route.path.split("/")[4]), wrong) if len(route.path.split("/")) > 4 else route.path
        assert browser.generic(route.method.upper(), path, b"{}", content_type="application/json").status_code in DOCUMENTED | {301}


@pytest.mark.parametrize("route", [route for route in routes() if route.is_api and route.method == "get"], ids=lambda route: route.route)
def test_a_query_that_cannot_be_meant(route: Route, browser_of: Any) -> None:
    browser = browser_of(route)
    for query in ("limit=many", "limit=0", "limit=99999999", f"cursor={ECHO}", "cursor=%00", f"{ECHO}=1"):
        reply = browser.get(f"{route.path}?{query}")
        assert reply.status_code < 500, query
        assert ECHO not in reply.content.decode() or query.startswith(ECHO), query
        if "limit" in query or "cursor" in query:
            assert reply.status_code in {200, 400, 404, 409}, query
