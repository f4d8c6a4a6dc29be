"""Requests that a page of somebody else's makes in one's name: every address that there is, by each way to forge one."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.conf import settings
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize

from telehealth.rest.faces import METHODS, Face
from tests.conformance.cells.asking import Statements, changing, undone
from tests.conformance.cells.clinic import Clinic, Kept, signed_in
from tests.conformance.cells.oracle import PEOPLE
from tests.conformance.cells.tokens import in_an_app
from tests.conformance.routes import Route, flat

SECRET: Final = "a" * 32
EVIL: Final = "https://evil.example"
# What the page of somebody else's manages to send along; in each a token is missing, or it is not ours that sends it.
FORGERIES: Final[Mapping[str, Mapping[str, str]]] = {
    "no token": {},
    "no token, and our own origin": {"HTTP_ORIGIN": "https://testserver"},
    "another token": {"HTTP_ORIGIN": "https://testserver", "HTTP_X_CSRFTOKEN": "b" * 32},
    "another scheme": {"HTTP_AUTHORIZATION": "Basic eDp4"},
    "a foreign origin": {"HTTP_ORIGIN": EVIL, "HTTP_X_CSRFTOKEN": SECRET},
    "an origin that begins like ours": {"HTTP_ORIGIN": "https://testserver.evil.example", "HTTP_X_CSRFTOKEN": SECRET},
    "no origin to speak of": {"HTTP_ORIGIN": "null", "HTTP_X_CSRFTOKEN": SECRET},
    "our origin without its lock": {"HTTP_ORIGIN": "http://testserver", "HTTP_X_CSRFTOKEN": SECRET},
    "another port of ours": {"HTTP_ORIGIN": "https://testserver:444", "HTTP_X_CSRFTOKEN": SECRET},
    "a foreign referer": {"HTTP_REFERER": f"{EVIL}/https://testserver/", "HTTP_X_CSRFTOKEN": SECRET},
    "a referer that begins like ours": {"HTTP_REFERER": "https://testserver.evil.example/", "HTTP_X_CSRFTOKEN": SECRET},
    "neither origin nor referer": {"HTTP_X_CSRFTOKEN": SECRET},
}
CHIEF: Final = ("no token", "a foreign origin", "a foreign referer")  # for Django's own admin, a hundred addresses behind one check
OURS: Final = ({"HTTP_ORIGIN": "https://testserver"}, {"HTTP_REFERER": "https://testserver/today/"})
# Where no cookie counts, so that nobody's browser can be put to use; what counts instead is in the body or a header.
NO_COOKIE_COUNTS: Final = {
    "oauth/token/": "a code or a refresh token",
    "oauth/revoke/": "a token",
    "oauth/introspect/": "a client's secret",
    "inbound/script/": "the pharmacy network's signature",
    "api/schema/": "nothing: it takes no POST",
}
SIGNED: Final = {"api/v1/sms/inbound/"}  # open to whoever signs: 401 is said of the signature


@dataclass(frozen=True)
class Address:
    """Where something might be changed."""

    route: str
    method: str
    path: str
    is_face: bool

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


def addresses() -> Iterator[Address]:
    """A face's by its methods; every other one by POST, whether or not its view says that it takes one."""
    for route, view in [*flat(), *admins()]:
        face = isinstance(view, type) and issubclass(view, Face)
        for method in [each for each in METHODS if each != "get" and view.access_of(each)] if face else ["post"]:
            if route != "admin/" or view is not None:
                yield Address(route, method, Route(route, method, view, ("", "")).path, face)


def admins(patterns: list[Any] | None = None, prefix: str = "admin/") -> Iterator[tuple[str, Any]]:
    """Every address of Django's admin."""
    if patterns is None:
        patterns = next(each.url_patterns for each in get_resolver().url_patterns if str(each.pattern) == "admin/")
    for pattern in patterns:
        text = str(pattern.pattern)
        if text.startswith(("^", "(?P")):
            text = normalize(text)[0][0] % {"app_label": "accounts", "url": "anything"}
        if isinstance(pattern, URLResolver):
            yield from admins(pattern.url_patterns, prefix + text)
        elif isinstance(pattern, URLPattern):
            yield prefix + text, pattern.callback


ALL: Final = list(addresses())
GUARDED: Final = [each for each in ALL if each.route not in NO_COOKIE_COUNTS]
LOG: Final = logging.getLogger("django.security.csrf")


class Told(logging.Handler):
    """How often Django's own check said no."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


@dataclass
class Answer:
    status: int
    said_no: bool
    changing: list[str]


def send(browser: Kept, address: Address, headers: Mapping[str, str], cookie: str = SECRET) -> Answer:
    """One request, as if it had never been; `said_no`: for want of a token or because of where it is from."""
    told, statements = Told(), Statements()
    LOG.addHandler(told)
    browser.cookies[settings.CSRF_COOKIE_NAME] = cookie
    try:
        with undone(), connection.execute_wrapper(statements):
            kind = "json" if address.is_face else "multipart"
            reply = getattr(browser, address.method)(address.path, {}, format=kind, **headers)
    finally:
        LOG.removeHandler(told)
    forbidden = reply.status_code == 403 and b'"code":"forbidden"' in reply.content
    return Answer(reply.status_code, forbidden if address.is_face else told.count == 1, changing(statements))


@pytest.fixture(scope="module")
def somebody(clinic: Clinic) -> Kept:
    """Whose cookies the requests carry. The forged ones get nowhere, so one person is as good as another."""
    return signed_in(clinic, next(who for who in PEOPLE if who.name == "admin"), enforce_csrf_checks=True)


@pytest.mark.parametrize("address", GUARDED, ids=str)
def test_nothing_is_changed_in_somebodys_name(clinic: Clinic, somebody: Kept, address: Address) -> None:
    in_admin = address.route.startswith("admin/")
    got = {name: send(somebody, address, FORGERIES[name]) for name in (CHIEF if in_admin else FORGERIES)}
    got["no cookie either"] = send(somebody, address, {"HTTP_X_CSRFTOKEN": SECRET, **OURS[0]}, cookie="")
    assert {name: each for name, each in got.items() if each != Answer(403, True, [])} == {}
    for headers in OURS[:1] if in_admin else OURS:
        assert not send(somebody, address, {**headers, "HTTP_X_CSRFTOKEN": SECRET}).said_no, "ours is let through"
        somebody.put_back()


@pytest.mark.parametrize("address", [each for each in GUARDED if not each.is_face and each.route[:6] != "admin/"], ids=str)
def test_nor_is_anybody_signed_in_or_led_on_in_a_strangers(clinic: Clinic, address: Address) -> None:
    stranger = Kept(enforce_csrf_checks=True)
    got = {name: send(stranger, address, FORGERIES[name]) for name in CHIEF}
    assert {name: each for name, each in got.items() if each != Answer(403, True, [])} == {}
    assert settings.SESSION_COOKIE_NAME not in stranger.cookies


@pytest.mark.parametrize("address", [each for each in ALL if each.route in NO_COOKIE_COUNTS], ids=str)
def test_where_no_token_is_asked_for_a_session_counts_for_nothing(clinic: Clinic, somebody: Kept, address: Address) -> None:
    replies = [getattr(each, address.method)(address.path, {}, format="multipart") for each in (somebody, Kept(enforce_csrf_checks=True))]
    (status, body), stranger = [(each.status_code, each.content) for each in replies]
    assert (status, body) == stranger and 400 <= status < 500


@pytest.mark.parametrize("address", [each for each in ALL if each.is_face], ids=str)
def test_an_app_needs_no_token_of_a_page(clinic: Clinic, address: Address) -> None:
    app = in_an_app(clinic, "pia", "patient")
    answer = send(app, address, {"HTTP_ORIGIN": EVIL}, cookie="")
    assert not answer.said_no and (answer.status == 401) == (address.route in SIGNED)


def test_every_kind_of_address_is_among_them() -> None:
    routes = {each.route for each in ALL}
    asked = {"sign-in/", "sign-in/factor/", "sign-in/recovery/", "step-up/", "invitation/<str:token>/", "oauth/authorize/", "sessions/"}
    asked |= {"passkeys/options/", "factors/passkey/", "factors/password/", "sign-out/", "session/unlock/", "admin/accounts/user/"}
    asked |= {"admin/accounts/rolegrant/add/", "admin/records/destruction/<path:object_id>/change/", "api/v1/consents/<uuid:pk>/withdraw/"}
    assert asked - routes == set() and set(NO_COOKIE_COUNTS) - routes == set() and len(ALL) > 200
