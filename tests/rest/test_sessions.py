"""A browser's session with its CSRF token, over real faces: the check must not read the body before the face does."""

from typing import Any

from django.conf import settings

from telehealth.accounts.access import Role
from tests.people import Browser, ClientFor, MakeAccount

ORDER = b'{"resourceType": "Bundle", "type": "searchset"}'


def send(browser: Browser, body: bytes, **headers: str) -> Any:
    return browser.generic("POST", "/api/v1/imports/", body, "application/json", headers=headers)


def test_a_change_by_session_needs_its_token_and_leaves_the_body_to_the_face(make_account: MakeAccount, client_for: ClientFor) -> None:
    browser = client_for(make_account(Role.NURSE))
    browser.handler.enforce_csrf_checks = True
    token = "a" * 32
    browser.cookies[settings.CSRF_COOKIE_NAME] = token
    own = {"X-CSRFToken": token, "Referer": "https://testserver/"}

    read = send(browser, ORDER, **own)
    assert (read.status_code, read.json()["code"]) == (400, "not_a_transaction_bundle")
    for wrong in ({}, {**own, "X-CSRFToken": "b" * 32}, {**own, "Referer": "https://elsewhere.example/"}):
        reply = send(browser, ORDER, **wrong)
        assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")
