"""Scopes of apps narrow a role and never widen it; what is not offered is not given; and what the person is told."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.ledger import Actor, uuid7
from audit.ledger.models import Entry
from telehealth.accounts import app_scopes
from telehealth.accounts.access import APP_SCOPES, TABLE, Action, Resource, Role, granted, scopes
from telehealth.accounts.models import AccessToken, Application, RefreshToken, Session
from telehealth.core import now
from tests.accounts.apps import REDIRECT, App, me
from tests.people import Browser, ClientFor, MakeAccount, body

NAMES = st.sets(st.sampled_from([*APP_SCOPES, "provider", "*", ""]), max_size=4).map(frozenset)
CELLS = [(action, resource) for resource in Resource for action in Action]


def actor(role: str, names: frozenset[str], client: str = "an-app") -> Actor:
    return Actor(id=uuid7(), role=role, client=client, second_factor_at=now(), scopes=names)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(role=st.sampled_from(list(Role)), some=NAMES, others=NAMES)
def test_scopes_narrow_and_never_widen(role: Role, some: frozenset[str], others: frozenset[str]) -> None:
    """Over the whole table: within the role, within the patient's rows, and no more together than each by itself."""
    person, app = actor(role, frozenset(), client=""), actor(role, some)
    for action, resource in CELLS:
        cell = granted(app, action, resource)
        assert cell <= granted(person, action, resource)
        assert cell <= scopes(Role.PATIENT, action, resource)
        assert cell <= granted(actor(role, frozenset({"patient"})), action, resource)
        together = granted(actor(role, some | others), action, resource)
        assert together == cell | granted(actor(role, others), action, resource)


def test_each_scope_is_a_part_of_the_patients_rows() -> None:
    for name, rows in APP_SCOPES.items():
        for resource, row in rows.items():
            for action, cell in row.items():
                assert cell == TABLE[Role.PATIENT][resource][action], (name, resource, action)


def test_each_scope_leaves_out_what_it_does_not_name() -> None:
    def has(name: str, action: Action, resource: Resource) -> bool:
        return bool(granted(actor(Role.PATIENT, frozenset({name})), action, resource))

    for name in ("openid", "offline_access"):
        assert not any(has(name, *cell) for cell in CELLS)
    assert not any(has("patient.read", action, resource) for action, resource in CELLS if action not in (Action.READ, Action.SEARCH))
    assert has("schedule", Action.CREATE, Resource.APPOINTMENT) and not has("schedule", Action.READ, Resource.PATIENT)
    assert has("visits", Action.ACT, Resource.VISIT) and not has("visits", Action.ACT, Resource.APPOINTMENT)
    assert has("record", Action.READ, Resource.CLINICAL_RESOURCE) and not has("record", Action.SEARCH, Resource.APPOINTMENT)
    assert has("sharing", Action.CREATE, Resource.CONSENT) and not has("sharing", Action.READ, Resource.CLINICAL_RESOURCE)
    chart = (Resource.CLINICAL_RESOURCE, Resource.PRESCRIPTION, Resource.ACCESS_LOG)
    assert not any(has(name, Action.READ, each) for name in ("schedule", "visits", "sharing") for each in chart)


def test_each_scope_has_words_and_its_line_on_the_page() -> None:
    assert set(app_scopes.WORDS) == set(APP_SCOPES)
    for names in ({"patient"}, {"patient.read"}, {"schedule"}, {"schedule", "record"}):
        told, withheld = app_scopes.will(names), app_scopes.will_not(names)
        assert len(told) == len(names) and not set(map(str, told)) & set(map(str, withheld))
        assert {str(words) for words in app_scopes.NEVER} <= {str(words) for words in withheld}


@pytest.fixture
def app(db: None) -> App:
    Application.objects.create(
        client_id="an-app", name="Steps", client_type="public", authorization_grant_type="authorization-code", redirect_uris=REDIRECT
    )
    return App()


@pytest.fixture
def browser(make_account: MakeAccount, client_for: ClientFor) -> Browser:
    return client_for(make_account(Role.PATIENT))


def tokens(app: App, browser: Browser, scope: str) -> dict[str, Any]:
    location = app.consent(browser, scope=scope)["Location"]
    found = re.search(r"code=([^&]+)", location)
    assert found, location
    return dict(body(app.trade(found[1])), code=found[1])


def status(token: str, path: str) -> int:
    return Browser().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.django_db
def test_an_app_gets_the_addresses_of_its_scopes(app: App, browser: Browser) -> None:
    answers = {}
    for scope in ("schedule", "record", "patient.read", "patient", "openid"):
        token = tokens(app, browser, scope)["access_token"]
        answers[scope] = [status(token, path) for path in ("appointments/", "patients/", "me/")]
    assert answers == {
        "schedule": [200, 404, 200],
        "record": [404, 200, 200],
        "patient.read": [200, 200, 200],
        "patient": [200, 200, 200],
        "openid": [404, 404, 404],
    }


@pytest.mark.django_db
def test_looking_is_not_changing(app: App, browser: Browser) -> None:
    headers = {"Authorization": f"Bearer {tokens(app, browser, 'patient.read')['access_token']}"}
    assert Browser().post("/api/v1/step-up/", {"code": "123456"}, headers=headers).status_code == 404
    assert Entry.objects.filter(reason="no_scope", kind="session.act").exists()


@pytest.mark.django_db
def test_a_refresh_narrows_and_never_widens(app: App, browser: Browser) -> None:
    first = tokens(app, browser, "schedule record offline_access")
    assert app.refresh(first["refresh_token"], scope="schedule record patient offline_access").status_code == 400
    second = body(app.refresh(first["refresh_token"], scope="schedule offline_access"))
    assert (second["scope"], status(second["access_token"], "patients/")) == ("schedule offline_access", 404)
    assert app.refresh(second["refresh_token"], scope="schedule record offline_access").status_code == 400
    third = body(app.refresh(second["refresh_token"]))
    assert third["scope"] == "schedule offline_access"


@pytest.mark.django_db
def test_the_token_endpoint_widens_nothing_either(app: App, browser: Browser) -> None:
    location = app.consent(browser, scope="schedule")["Location"]
    code = location.partition("code=")[2].partition("&")[0]
    assert body(app.trade(code, scope="patient offline_access"))["scope"] == "schedule"


@pytest.mark.django_db
def test_only_who_asked_stays_connected(app: App, browser: Browser) -> None:
    """Without `offline_access` no refresh token is handed out; a replayed code ends the access token all the same."""
    given = tokens(app, browser, "patient")
    assert "refresh_token" not in given and me(given["access_token"]) == 200
    assert app.trade(given["code"]).status_code == 400
    assert me(given["access_token"]) == 401
    assert not RefreshToken.objects.filter(revoked=None).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["replay", "reuse", "revoke"])
def test_what_is_over_leaves_the_list_of_sessions(app: App, browser: Browser, end: str) -> None:
    given = tokens(app, browser, "patient offline_access")
    if end == "replay":
        app.trade(given["code"])
    elif end == "reuse":
        app.refresh(given["refresh_token"])
        app.refresh(given["refresh_token"])
    else:
        Browser().form("/oauth/revoke/", token=given["refresh_token"], client_id="an-app")
    row = Session.objects.get(kind=Session.Kind.APP)
    assert row.reason == {"replay": "code_replayed", "reuse": "refresh_token_reused", "revoke": "app_signed_out"}[end]
    assert not AccessToken.objects.exists()


@pytest.mark.django_db
def test_another_app_ends_nothing_by_revoking(app: App, browser: Browser) -> None:
    given = tokens(app, browser, "patient offline_access")
    Application.objects.create(
        client_id="other", client_type="public", authorization_grant_type="authorization-code", redirect_uris=REDIRECT
    )
    Browser().form("/oauth/revoke/", token=given["access_token"], client_id="other")
    assert me(given["access_token"]) == 200


@pytest.mark.django_db
def test_the_consent_page_says_what_the_app_will_and_will_not_do(app: App, make_account: MakeAccount, client_for: ClientFor) -> None:
    for role, named in ((Role.PATIENT, "Patient"), (Role.PROXY, "Proxy"), (Role.PROVIDER, "Provider")):
        text = client_for(make_account(role)).get("/oauth/authorize/", app.ask(scope="schedule openid")).content.decode()
        will, will_not = (listed(text, name) for name in ("data-will", "data-will-not"))
        assert will == [str(app_scopes.WORDS["schedule"]), str(app_scopes.WORDS["openid"])]
        assert str(app_scopes.WORDS["record"]) in will_not and str(app_scopes.NEVER[0]) in will_not
        assert f"<strong>{named}</strong>" in text and "Steps" in text and "app.example" in text


def listed(text: str, mark: str) -> list[str]:
    found = re.search(rf"<ul {mark}>(.*?)</ul>", text, re.DOTALL)
    assert found
    return re.findall(r"<li>(.*?)</li>", found[1])
