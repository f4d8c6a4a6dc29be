"""The register of sessions: who is signed in where, and that what ends there is ended at once, by whatever way it was held."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from audit.ledger import SYSTEM, Act, unit
from audit.ledger.models import Entry
from telehealth.accounts import devices, selectors, services, sessions
from telehealth.accounts.access import Role
from telehealth.accounts.models import AccessToken, Application, RefreshToken, RoleGrant, Session, User
from telehealth.core import now
from telehealth.core.errors import Missing
from tests.conformance.test_access import app_of
from tests.people import Browser, ClientFor, MakeAccount, Person, body

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def signed_in(person: Person, ahead: int = 0, **headers: Any) -> Browser:
    browser = Browser(**headers)
    browser.form("/sign-in/", email=person.email, password=person.password)
    assert browser.form("/sign-in/factor/", code=person.code(ahead)).status_code == 302
    return browser


def status(browser: Browser) -> int:
    return int(browser.get("/api/v1/me/").status_code)


def with_app(person: Person) -> Browser:
    """An app's client whose token belongs to a session of the register."""
    app = app_of(person.id)
    token = AccessToken.objects.get(user_id=person.id)
    token.session = Session.objects.create(account_id=person.id, kind="app", application=token.application)
    token.save(update_fields=["session"])
    return app


def test_signing_in_is_registered_in_coarse_words(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    signed_in(pia, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.77")
    with unit(SYSTEM, channel="command"):
        (held,) = Session.objects.filter(account=pia.id)
        assert (held.kind, held.device, held.network, held.ended_at) == ("browser", "Firefox, Linux", "203.0.113.0/24", None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_session s WHERE s::text ~ 'Firefox|203'")
        assert cursor.fetchone() == (0,)
    entries = Entry.objects.filter(actor_id=pia.id, act__in=[Act.SESSION_BEGUN, Act.FACTOR_PROVED]).order_by("id")
    begun, proved = entries
    assert begun.object_pk == str(held.pk) and proved.session == held.pk.hex, "entries name the session by its row"


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        (FIREFOX, "Firefox, Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1", "Safari, iPhone"),
        ("clinic/4 <script>", "other"),
    ],
)
def test_the_words_for_a_device(agent: str, told: str) -> None:
    assert devices.words(agent) == told


def test_only_the_networks_prefix_is_kept() -> None:
    kept = [devices.prefix(address) for address in ("198.51.100.7", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "unknown")]
    assert kept == ["198.51.100.0/24", "2001:db8:1::/48", "2001:db8:1::/48", ""]


def test_without_its_row_a_cookie_is_worth_nothing(make_account: MakeAccount, client_for: ClientFor) -> None:
    browser = client_for(make_account(Role.NURSE))
    assert status(browser) == 200
    Session.objects.all().delete()
    assert status(browser) == 401


def test_a_cookie_does_not_stand_for_somebody_elses_row(make_account: MakeAccount, client_for: ClientFor) -> None:
    ned, dee = make_account(Role.PATIENT), make_account(Role.PROVIDER)
    browser, other = client_for(ned), client_for(dee)
    session = browser.session
    session["session_id"] = other.session["session_id"]
    session.save()
    assert status(browser) == 401


def test_signing_out_there_ends_that_one_alone(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia = make_account(Role.PATIENT)
    here, there, app = client_for(pia), client_for(pia), with_app(pia)
    with unit(SYSTEM, channel="command"):
        services.end_session(session_id=there.session["session_id"], by=pia.by)
    assert (status(here), status(there), status(app)) == (200, 401, 200)
    with unit(SYSTEM, channel="command"):
        services.end_session(session_id=Session.objects.get(kind="app").pk, by=pia.by)
    assert (status(here), status(app)) == (200, 401)
    assert not AccessToken.objects.filter(user=pia.id).exists()
    assert list(Entry.objects.filter(act=Act.SESSION_ENDED).values_list("reason", flat=True)) == ["ended_elsewhere"] * 2


def test_nobody_ends_what_is_not_theirs(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia, ned = make_account(Role.PATIENT), make_account(Role.PATIENT)
    browser = client_for(pia)
    with unit(SYSTEM, channel="command"), pytest.raises(Missing):
        services.end_session(session_id=browser.session["session_id"], by=ned.by)
    assert status(browser) == 200


def move(person: Person, admin: Person) -> None:
    """To another role: the operator asked, this administrator approves."""
    asked = RoleGrant.objects.create(account_id=person.id, role=Role.NURSE, code="moved")
    services.approve_role(grant_id=asked.pk, by=admin.by)


Change = Callable[[Person, Person], Any]
CHANGES: dict[str, Change] = {
    "switched_off": lambda person, admin: services.switch_off(account_id=person.id, by=admin.by),
    "role_changed": move,
    "recovered": lambda person, admin: services.recover(
        account_id=person.id, email=person.email, role=person.role, password="another kettle of fish", by=SYSTEM
    ),
    "left": lambda person, admin: services.close_everything(account_id=person.id, reason="left", by=admin.by),
}


@pytest.mark.parametrize("reason", CHANGES)
def test_what_changes_an_account_ends_everything_it_was_given(make_account: MakeAccount, client_for: ClientFor, reason: str) -> None:
    dee, admin = make_account(Role.PROVIDER), make_account(Role.ADMINISTRATOR)
    browsers = [client_for(dee), client_for(dee), with_app(dee)]
    bystander = client_for(admin)
    assert [status(browser) for browser in browsers] == [200] * 3
    with unit(SYSTEM, channel="command"):
        CHANGES[reason](dee, admin)

    assert [status(browser) for browser in browsers] == [401] * 3
    assert status(bystander) == 200
    assert not AccessToken.objects.filter(user=dee.id).exists() and not RefreshToken.objects.filter(user=dee.id).exists()
    assert set(Session.objects.filter(account=dee.id).values_list("reason", flat=True)) == {reason}
    assert User.objects.get(pk=dee.id).epoch == 1


def test_an_ended_session_does_not_come_back(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia = make_account(Role.PATIENT)
    browser = client_for(pia)
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    with unit(SYSTEM, channel="command"):
        services.close_everything(account_id=pia.id, reason="left", by=SYSTEM)
    assert status(browser) == 401
    thief = Browser()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    assert status(thief) == 401
    assert selectors.sessions_of(pia.by).count() == 0


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("session_of_an_app_names_it", {"kind": "app"}),
        ("session_ended_says_why", {"kind": "browser", "ended_at": now()}),
        ("session_ended_says_why", {"kind": "browser", "reason": "idle"}),
    ],
)
def test_the_register_keeps_its_rules(make_account: MakeAccount, name: str, values: dict[str, Any]) -> None:
    pia = make_account(Role.PATIENT)
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), unit(SYSTEM, channel="command"):
        Session.objects.create(account_id=pia.id, **values)
    assert not Application.objects.exists()


# The faces


def listed(browser: Browser) -> list[dict[str, Any]]:
    return list(body(browser.get("/api/v1/sessions/"))["results"])


@pytest.mark.parametrize("role", list(Role))
def test_everybody_finds_their_own_sessions_and_apps(make_account: MakeAccount, client_for: ClientFor, role: Role) -> None:
    person, ned = make_account(role), make_account(Role.PATIENT)
    here, there, theirs = client_for(person), client_for(person), client_for(ned)
    with_app(person)
    found = listed(here)
    mine = {here.session["session_id"], there.session["session_id"]}
    assert {each["id"] for each in found if each["kind"] == "browser"} == mine
    assert set(found[0]) == {"id", "kind", "app", "device", "network", "started_at", "seen_at"}
    page = here.get("/sessions/").content.decode()
    assert all(f'data-session="{each}"' in page for each in mine) and theirs.session["session_id"] not in page
    assert page.count('name="session"') == len(found) - 1, "not the one that asks"


def test_sign_out_there_over_rest_and_by_page(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia, ned = make_account(Role.PATIENT), make_account(Role.PATIENT)
    here, one, two, three = (client_for(pia) for _ in range(4))
    stranger = client_for(ned)
    address = f"/api/v1/sessions/{one.session['session_id']}/"
    assert stranger.delete(address).status_code == 404
    assert stranger.form("/sessions/", session=one.session["session_id"]).status_code == 404
    assert status(one) == 200
    assert here.delete(address).status_code == 204
    assert here.delete(address).status_code == 404
    assert here.form("/sessions/", session=two.session["session_id"]).status_code == 200
    assert [status(each) for each in (here, one, two, three)] == [200, 401, 401, 200]
    assert body(here.post("/api/v1/sessions/end-others/", {"others": "all"}))["ended"] == 1
    assert [status(each) for each in (here, three, stranger)] == [200, 401, 200]
    assert here.form("/sessions/", session="nonsense").status_code == 400


def test_signing_out_needs_a_csrf_token(make_account: MakeAccount, client_for: ClientFor) -> None:
    signed_in_here = client_for(make_account(Role.NURSE))
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = signed_in_here.cookies
    assert strict.delete(f"/api/v1/sessions/{signed_in_here.session['session_id']}/").status_code == 403
    assert strict.form("/sessions/", all="yes").status_code == 403
    assert status(signed_in_here) == 200


def test_an_app_finds_itself_and_signs_out_elsewhere(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia = make_account(Role.PATIENT)
    browser, app = client_for(pia), with_app(pia)
    assert {each["kind"] for each in listed(app)} == {"browser", "app"}
    assert body(app.post("/api/v1/sessions/end-others/", {"others": "all"}))["ended"] == 1
    assert (status(browser), status(app)) == (401, 200)


def test_being_seen_is_written_in_steps(make_account: MakeAccount, client_for: ClientFor) -> None:
    browser = client_for(make_account(Role.NURSE))
    row = Session.objects.filter(pk=browser.session["session_id"])
    before = row.get().seen_at
    assert status(browser) == 200 and row.get().seen_at == before
    session = browser.session
    session[sessions.SEEN] = (now() - timedelta(seconds=31)).isoformat()
    session.save()
    row.update(seen_at=before - timedelta(seconds=31))
    assert status(browser) == 200 and row.get().seen_at >= before


def test_a_session_costs_no_statement_of_its_own(make_account: MakeAccount, client_for: ClientFor, django_assert_num_queries: Any) -> None:
    browser = client_for(make_account(Role.PROVIDER))
    assert status(browser) == 200
    with django_assert_num_queries(1):  # account and session in one
        assert browser.get("/session/").status_code == 200
