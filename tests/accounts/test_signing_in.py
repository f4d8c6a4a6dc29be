"""Sign-in with two factors: what it takes, what it refuses, what it leaves on record (C5)."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from audit.ledger import Act
from audit.ledger.models import Entry
from telehealth.accounts import services, sessions, totp
from telehealth.accounts.access import Role
from telehealth.accounts.throttle import FREE_PER_ADDRESS, Throttle
from telehealth.core import now
from tests.people import Acts, Browser, ClientFor, MakeAccount, Person, body

pytestmark = pytest.mark.django_db
WRONG = "not the right password"


def with_password(person: Person) -> Browser:
    browser = Browser()
    assert browser.form("/sign-in/", email=person.email, password=person.password).status_code == 302
    return browser


def key_of(browser: Browser) -> str:
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


def wrong_code(person: Person) -> str:
    valid = {person.code(ahead) for ahead in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in valid)


def test_password_then_code_opens_the_door(make_account: MakeAccount, acts: Acts) -> None:
    nan = make_account(Role.NURSE)
    browser = Browser()

    first = browser.form("/sign-in/", email=nan.email.upper(), password=nan.password)
    assert (first.status_code, first["Location"]) == (302, "/sign-in/factor/")

    second = browser.form("/sign-in/factor/", code=nan.code())
    assert (second.status_code, second["Location"]) == (302, "/")
    me = browser.get("/api/v1/me/")
    assert (me.status_code, body(me)) == (200, {"id": str(nan.id), "role": "nurse", "patient": None, "practitioner": None})
    assert acts() == [Act.ACCOUNT_CREATED, Act.SIGNED_IN, Act.SESSION_BEGUN, Act.FACTOR_PROVED]


def test_a_password_alone_reaches_nothing(make_account: MakeAccount) -> None:
    admin = make_account(Role.ADMINISTRATOR)
    browser = with_password(admin)

    refused = browser.get("/api/v1/me/")
    assert (refused.status_code, body(refused)["code"]) == (403, "second_factor_required")
    assert browser.post("/api/v1/step-up/", {"code": admin.code()}).status_code == 403
    for page in ("/welcome/", "/oauth/authorize/?client_id=x&response_type=code"):
        assert browser.get(page)["Location"].startswith("/sign-in/factor/?next=")
    inside = browser.get("/admin/", follow=True)
    assert inside.redirect_chain[-1][0].startswith("/sign-in/factor/")


def test_unknown_account_and_wrong_password_look_the_same(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    answers = [Browser().form("/sign-in/", email=email, password=WRONG) for email in (pia.email, "nobody@people.example")]

    assert [answer.status_code for answer in answers] == [400, 400]
    without_token = [re.sub(rb'(value="[^"]*"|nonce="[^"]*")', b"", answer.content) for answer in answers]
    assert without_token[0] == without_token[1]


def test_an_unknown_account_costs_one_hash_too(make_account: MakeAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    pia, hashed = make_account(Role.PATIENT), []
    hasher = type(__import__("django.contrib.auth.hashers", fromlist=["get_hasher"]).get_hasher())
    for name in ("encode", "verify"):
        real = getattr(hasher, name)
        monkeypatch.setattr(hasher, name, lambda *args, real=real, name=name: hashed.append(name) or real(*args))

    Browser().form("/sign-in/", email=pia.email, password=WRONG)
    Browser().form("/sign-in/", email="nobody@people.example", password=WRONG)

    assert hashed == ["verify", "encode"]


def test_failed_sign_ins_are_entries_without_what_was_typed(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    Browser().form("/sign-in/", email=pia.email, password=WRONG)
    Browser().form("/sign-in/", email="nobody@people.example", password=WRONG)

    known, unknown = Entry.objects.filter(act=Act.REFUSED, reason="sign_in_failed").order_by("id")
    assert known.object_pk == str(pia.id)
    assert re.fullmatch(r"[0-9a-f]{16}", unknown.object_pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_entry e WHERE e::text ~* %s", ["nobody@|" + re.escape(pia.email) + "|" + WRONG])
        assert cursor.fetchone() == (0,)


def test_a_code_is_good_once_and_the_page_says_when_the_next_one_is(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    code = dee.code()
    assert with_password(dee).form("/sign-in/factor/", code=code).status_code == 302

    thief = with_password(dee)
    refused = thief.form("/sign-in/factor/", code=code)
    assert refused.status_code == 400
    told = re.search(r'data-next-code-at="([^"]+)"', refused.content.decode())
    assert told
    assert thief.get("/api/v1/me/").status_code == 403
    with time_machine.travel(told[1], tick=False):
        assert thief.form("/sign-in/factor/", code=dee.code()).status_code == 302


@pytest.mark.parametrize(("ahead", "status"), [(-2, 400), (-1, 302), (0, 302), (1, 302), (2, 400)])
def test_one_step_of_clock_skew_is_forgiven(make_account: MakeAccount, ahead: int, status: int) -> None:
    with time_machine.travel(now(), tick=False):
        dee = make_account(Role.PROVIDER)
        assert with_password(dee).form("/sign-in/factor/", code=dee.code(ahead)).status_code == status


def test_an_older_code_is_not_taken_after_a_newer_one(make_account: MakeAccount) -> None:
    with time_machine.travel(now(), tick=False):
        dee = make_account(Role.PROVIDER)
        assert with_password(dee).form("/sign-in/factor/", code=dee.code(1)).status_code == 302
        assert with_password(dee).form("/sign-in/factor/", code=dee.code(0)).status_code == 400


def test_guessing_codes_is_slowed_down_across_sessions(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    browser = with_password(dee)
    guesses = [browser.form("/sign-in/factor/", code=wrong_code(dee)).status_code for _ in range(8)]

    assert guesses[:5] == [400] * 5
    assert 429 in guesses[5:]
    right = with_password(dee).form("/sign-in/factor/", code=dee.code())
    assert right.status_code == 429


def test_guessing_passwords_is_slowed_down_for_known_and_unknown_alike(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    for email in (pia.email, "nobody@people.example"):
        tried = [Browser().form("/sign-in/", email=email, password=WRONG).status_code for _ in range(8)]
        assert (tried[:5], tried[-1]) == ([400] * 5, 429)
    assert Browser().form("/sign-in/", email=pia.email, password=pia.password).status_code == 429
    assert Entry.objects.filter(act=Act.REFUSED, reason="too_many_attempts").exists()


def test_success_forgives_earlier_mistakes(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    for _ in range(3):
        for _ in range(4):
            Browser().form("/sign-in/", email=pia.email, password=WRONG)
        assert Browser().form("/sign-in/", email=pia.email, password=pia.password).status_code == 302


def test_one_address_cannot_try_many_accounts(audit_unit: None) -> None:
    cache.clear()
    from_here = Throttle("address", "127.0.0.1", FREE_PER_ADDRESS)
    for _ in range(FREE_PER_ADDRESS):
        from_here.attempt()
    tried = [Browser().form("/sign-in/", email=f"n{n}@people.example", password="x" * 12).status_code for n in range(3)]
    assert tried == [400, 429, 429]


def test_a_planted_session_is_not_taken_over(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    browser = Browser()
    planted = browser.session
    planted["planted"] = "by the attacker"
    planted.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key or ""

    browser.form("/sign-in/", email=dee.email, password=dee.password)
    after_password = key_of(browser)
    browser.form("/sign-in/factor/", code=dee.code())
    after_factor = key_of(browser)

    assert len({planted.session_key, after_password, after_factor}) == 3
    assert "planted" not in browser.session
    for old in (planted.session_key, after_password):
        thief = Browser()
        thief.cookies[settings.SESSION_COOKIE_NAME] = old or ""
        assert thief.get("/api/v1/me/").status_code == 401


def aged(browser: Browser, *, started: timedelta, seen: timedelta, factor: timedelta = timedelta(0)) -> Browser:
    """The same session, as if that much time had gone by: entries are of now, so the clock itself cannot be moved."""
    session = browser.session
    for name, gone in ((sessions.STARTED, started), (sessions.SEEN, seen), (sessions.FACTOR, factor)):
        session[name] = (now() - gone).isoformat()
    session.save()
    return browser


IDLE = [(Role.PROVIDER, 15), (Role.FRONT_DESK, 15), (Role.ADMINISTRATOR, 15), (Role.PATIENT, 30), (Role.PROXY, 30)]


@pytest.mark.parametrize(("role", "idle"), IDLE)
def test_an_idle_session_ends(make_account: MakeAccount, client_for: ClientFor, role: Role, idle: int) -> None:
    browser = client_for(make_account(role))
    hour = timedelta(hours=1)
    assert aged(browser, started=hour, seen=timedelta(minutes=idle - 1)).get("/api/v1/me/").status_code == 200
    assert now() - sessions.time_in(browser.session, sessions.SEEN) < timedelta(seconds=5)
    assert aged(browser, started=hour, seen=timedelta(minutes=idle, seconds=1)).get("/api/v1/me/").status_code == 401
    assert browser.get("/api/v1/me/").status_code == 401
    assert Entry.objects.filter(act=Act.SIGNED_OUT, reason="idle").count() == 1


def test_no_session_lasts_longer_than_twelve_hours(make_account: MakeAccount, client_for: ClientFor) -> None:
    browser, moment = client_for(make_account(Role.PATIENT)), timedelta(seconds=1)
    assert aged(browser, started=timedelta(hours=11, minutes=59), seen=moment).get("/api/v1/me/").status_code == 200
    assert aged(browser, started=timedelta(hours=12, seconds=1), seen=moment).get("/api/v1/me/").status_code == 401
    assert Entry.objects.filter(act=Act.SIGNED_OUT, reason="absolute").count() == 1


def test_a_session_without_its_times_is_none(make_account: MakeAccount, client_for: ClientFor) -> None:
    browser = client_for(make_account(Role.PATIENT))
    session = browser.session
    del session[sessions.STARTED]
    session.save()
    assert browser.get("/api/v1/me/").status_code == 401


def test_signing_out_ends_the_session_and_only_by_post(make_account: MakeAccount, client_for: ClientFor) -> None:
    browser = client_for(make_account(Role.PATIENT))
    key = key_of(browser)
    assert browser.get("/sign-out/").status_code == 405
    assert browser.form("/sign-out/").status_code == 302

    thief = Browser()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    assert thief.get("/api/v1/me/").status_code == 401
    assert Entry.objects.filter(act=Act.SIGNED_OUT, reason="asked").count() == 1


def test_a_switched_off_account_is_out_at_once(make_account: MakeAccount, client_for: ClientFor, audit_unit: None) -> None:
    dee = make_account(Role.PROVIDER)
    browser = client_for(dee)
    services.switch_off(account_id=dee.id, by=make_account(Role.ADMINISTRATOR).by)

    assert browser.get("/api/v1/me/").status_code == 401
    assert Browser().form("/sign-in/", email=dee.email, password=dee.password).status_code == 400


@pytest.mark.parametrize(
    "onward", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "http://testserver/x", "/\\evil.example"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(make_account: MakeAccount, onward: str) -> None:
    dee = make_account(Role.PROVIDER)
    browser = Browser()
    first = browser.form("/sign-in/", email=dee.email, password=dee.password, next=onward)
    assert first["Location"] == "/sign-in/factor/"
    assert browser.form("/sign-in/factor/", code=dee.code(), next=onward)["Location"] == "/"


def test_the_page_that_was_asked_for_is_where_one_arrives(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    browser = Browser()
    sent = browser.get("/welcome/")
    assert sent["Location"] == "/sign-in/?next=%2Fwelcome%2F"
    assert b'value="/welcome/"' in browser.get(sent["Location"]).content
    first = browser.form("/sign-in/", email=pia.email, password=pia.password, next="/welcome/")
    assert first["Location"] == "/sign-in/factor/?next=%2Fwelcome%2F"
    assert browser.form("/sign-in/factor/", code=pia.code(), next="/welcome/")["Location"] == "/welcome/"


def test_a_session_needs_a_csrf_token_to_change_anything(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia = make_account(Role.PATIENT)
    signed_in = client_for(pia)
    browser = Browser(enforce_csrf_checks=True)
    browser.cookies = signed_in.cookies

    assert browser.post("/api/v1/step-up/", {"code": pia.code()}).status_code == 403
    assert browser.form("/sign-out/").status_code == 403
    assert browser.get("/api/v1/me/").status_code == 200


def test_the_pages_hold_to_the_content_security_policy(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT, factor=False)
    browser = with_password(pia)
    for page in (Browser().get("/sign-in/"), browser.get("/factors/totp/")):
        text = page.content.decode()
        assert page.status_code == 200
        assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", text)
        assert all("nonce=" in tag for tag in re.findall(r"<script[^>]*>", text))
        assert "no-store" in page["Cache-Control"]


def test_rfc_6238_test_vectors() -> None:
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # appendix B: "12345678901234567890"
    for seconds, eight_digits in [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")]:
        assert totp.code_at(seed, seconds // 30) == eight_digits[2:]


@pytest.mark.parametrize(
    ("proxy", "forwarded", "peer", "seen"),
    [
        (None, "203.0.113.9", "198.51.100.7", "198.51.100.7"),  # nobody but our proxy is believed
        (("HTTP_X_FORWARDED_PROTO", "https"), "203.0.113.9, 192.0.2.4", "10.0.0.1", "192.0.2.4"),
        (("HTTP_X_FORWARDED_PROTO", "https"), "2001:db8:1:2:3:4:5:6", "10.0.0.1", "2001:db8:1:2::/64"),
        (("HTTP_X_FORWARDED_PROTO", "https"), "junk", "10.0.0.1", "unknown"),
    ],
)
def test_the_address_that_guesses_are_counted_for(rf: Any, settings: Any, proxy: Any, forwarded: str, peer: str, seen: str) -> None:
    settings.SECURE_PROXY_SSL_HEADER = proxy
    assert sessions.address_of(rf.post("/sign-in/", HTTP_X_FORWARDED_FOR=forwarded, REMOTE_ADDR=peer)) == seen


def test_writing_the_address_another_way_gives_no_more_guesses(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT, email="pia@people.example")
    ways = (
        "pia@people.example",
        "Pia@people.example",
        "pIa@people.example",
        "PIA@people.example",
        "pia@people.EXAMPLE",
        "\uff50ia@people.example",
    )
    tried = [Browser().form("/sign-in/", email=way, password=WRONG).status_code for way in (*ways, "piA@people.example")]
    assert (tried[:5], tried[-1]) == ([400] * 5, 429)
    assert len({entry.object_pk for entry in Entry.objects.filter(reason="sign_in_failed")}) == 1
    assert Browser().form("/sign-in/", email=pia.email, password=pia.password).status_code == 429
