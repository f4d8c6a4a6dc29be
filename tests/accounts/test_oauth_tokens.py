"""Codes and tokens of apps: kept as hashes, good for one client, one use and a while; and what a replay ends."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from audit.ledger import Act
from audit.ledger.models import Entry
from telehealth.accounts.models import AccessToken, Application, Grant, RefreshToken, User
from telehealth.core import now
from tests.accounts.apps import REDIRECT, App, me
from tests.people import Browser, ClientFor, Person, body

pytestmark = pytest.mark.django_db


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
