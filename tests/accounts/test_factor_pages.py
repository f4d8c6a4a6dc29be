"""My factors, and every door that a passkey opens, over HTTP."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from telehealth.accounts import selectors, services, totp
from telehealth.accounts.access import Role
from telehealth.accounts.errors import FreshFactorRequired
from telehealth.accounts.models import EmailChange, Passkey, RecoveryCode, TOTPDevice, User
from telehealth.core import now
from telehealth.portal.errors import answer
from tests.accounts.test_passkeys import make_passkey
from tests.people import PASSWORD, Browser, ClientFor, MakeAccount, Person, body
from tests.soft_key import SoftKey

pytestmark = pytest.mark.usefixtures("audit_unit")


def options(browser: Browser, purpose: str, about: str = "") -> Any:
    return browser.form("/passkeys/options/", purpose=purpose, about=about)


def shown(browser: Browser, key: SoftKey, purpose: str, about: str = "") -> str:
    return json.dumps(key.show(body(options(browser, purpose, about))))


def half(person: Person) -> Browser:
    browser = Browser()
    browser.form("/sign-in/", email=person.email, password=person.password)
    return browser


def test_a_passkey_alone_signs_in_and_is_a_fresh_factor(make_account: MakeAccount) -> None:
    cho = make_account(Role.PROVIDER)
    key, browser = make_passkey(cho), Browser()
    before = browser.session.session_key
    reply = browser.form("/sign-in/", answer=shown(browser, key, "sign-in"), next="/today/")
    assert (reply.status_code, reply["Location"]) == (302, "/today/")
    assert browser.session.session_key != before
    assert body(browser.get("/api/v1/me/"))["id"] == str(cho.id)
    assert browser.get("/factors/password/").status_code == 200  # asks for a fresh one


def test_an_answer_is_good_once_for_its_purpose_and_soon(make_account: MakeAccount) -> None:
    cho = make_account(Role.PROVIDER)
    key, browser = make_passkey(cho), Browser()
    answer = shown(browser, key, "sign-in")
    kept = dict(browser.session.items())
    assert browser.form("/sign-in/", answer=answer).status_code == 302
    thief = Browser()
    thief.get("/sign-in/")
    for name in ("passkey",):  # as if both requests had read the session before either wrote it
        session = thief.session
        session[name] = kept[name]
        session.save()
        thief.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    key.count += 10
    assert thief.form("/sign-in/", answer=answer).status_code == 400
    assert Browser().form("/sign-in/", answer=answer).status_code == 400  # nothing was asked here

    other = half(cho)
    wrong = shown(other, key, "factor")
    assert other.form("/step-up/", answer=wrong)["Location"].startswith("/sign-in/factor/")
    late = half(cho)
    answer = shown(late, key, "factor")
    session = late.session
    session["passkey"] = {**session["passkey"], "at": (now() - timedelta(minutes=6)).isoformat()}
    session.save()
    assert late.form("/sign-in/factor/", answer=answer).status_code == 400


def test_a_passkey_is_the_second_factor_and_steps_up(make_account: MakeAccount, client_for: ClientFor) -> None:
    cho = make_account(Role.PROVIDER)
    key, browser = make_passkey(cho), half(cho)
    assert b'data-passkey="factor"' in browser.get("/sign-in/factor/").content
    assert browser.form("/sign-in/factor/", answer=shown(browser, key, "factor")).status_code == 302
    assert browser.get("/api/v1/me/").status_code == 200

    old = client_for(cho, factor_at=now() - timedelta(minutes=10))
    assert old.get("/factors/password/")["Location"] == "/step-up/?next=%2Ffactors%2Fpassword%2F"
    assert old.form("/step-up/", answer=shown(old, key, "factor"), next="/factors/password/").status_code == 400
    reply = old.form("/step-up/", answer=shown(old, key, "step-up"), next="/factors/password/")
    assert reply["Location"] == "/factors/password/"
    assert old.get("/factors/password/").status_code == 200


@pytest.mark.parametrize("answer", ["x", "[]", "null", "{", "9" * 30_000, "[" * 10_000, '{"id": 1}'])
def test_what_is_no_answer_is_refused(make_account: MakeAccount, answer: str) -> None:
    cho = make_account(Role.PROVIDER)
    make_passkey(cho)
    browser = Browser()
    options(browser, "sign-in")
    assert browser.form("/sign-in/", answer=answer).status_code == 400


def test_options_are_given_for_what_was_shown(make_account: MakeAccount, client_for: ClientFor) -> None:
    cho = make_account(Role.PROVIDER)
    key = make_passkey(cho)
    told = body(options(Browser(), "sign-in"))
    assert not told.get("allowCredentials") and told["userVerification"] == "required"
    for purpose in ("factor", "step-up", "register", "sign", "", "x"):
        assert options(Browser(), purpose).status_code == 403
    for purpose in ("step-up", "sign", "x"):
        assert options(half(cho), purpose).status_code == 403
    assert options(half(cho), "register").status_code == 409  # the password alone adds no factor
    assert [each["id"] for each in body(options(half(cho), "factor"))["allowCredentials"]] == [
        key.register(told | {"user": {"id": ""}})["id"]
    ]
    assert options(client_for(cho, factor_at=now() - timedelta(minutes=6)), "register").status_code == 403
    assert options(client_for(cho), "sign").status_code == 200


def test_the_first_factor_may_be_a_passkey(make_account: MakeAccount) -> None:
    nan = make_account(Role.NURSE, factor=False)
    browser, key = half(nan), SoftKey()
    assert browser.get("/factors/passkey/").status_code == 200
    answer = json.dumps(key.register(body(options(browser, "register"))))
    assert browser.form("/factors/passkey/", answer=answer, name="").status_code == 400
    reply = browser.form("/factors/passkey/", answer=answer, name="My phone")
    assert reply.status_code == 302
    assert browser.get("/api/v1/me/").status_code == 200
    assert "My phone" in browser.get("/factors/").content.decode()


def test_a_second_authenticator_by_the_pages(make_account: MakeAccount, client_for: ClientFor) -> None:
    cho = make_account(Role.PROVIDER)
    browser = client_for(cho)
    assert browser.get("/factors/totp/").status_code == 200
    seed = TOTPDevice.objects.get(user_id=cho.id, confirmed=False).seed
    reply = browser.form("/factors/totp/", code=totp.code_at(seed, totp.step_of(now())), name="Old tablet")
    assert reply["Location"] == "/factors/"
    assert "Old tablet" in browser.get("/factors/").content.decode()
    other = client_for(cho)
    other.get("/factors/totp/")
    assert TOTPDevice.objects.get(user_id=cho.id, confirmed=False).seed != seed


@pytest.mark.parametrize("role", list(Role))
def test_everybody_has_the_page(make_account: MakeAccount, client_for: ClientFor, role: Role) -> None:
    person = make_account(role)
    make_passkey(person)
    page = client_for(person).get("/factors/").content.decode()
    assert page.count("data-factor") == 2 and "Blue phone" in page and 'data-left="0"' in page


def test_rename_remove_and_codes_ask_for_a_fresh_factor(make_account: MakeAccount, client_for: ClientFor) -> None:
    cho, dee = make_account(Role.PROVIDER), make_account(Role.PROVIDER)
    make_passkey(cho)
    factor = Passkey.objects.get()
    old = client_for(cho, factor_at=now() - timedelta(minutes=6))
    for act in ("rename", "remove", "codes"):
        assert old.form("/factors/", act=act, id=str(factor.pk), name="x")["Location"].startswith("/step-up/")
    stranger = client_for(dee)
    for act in ("rename", "remove"):
        for id in (str(factor.pk), str(uuid4()), "x"):
            assert stranger.form("/factors/", act=act, id=id, name="x").status_code == 404
    mine = client_for(cho)
    assert mine.form("/factors/", act="nothing").status_code == 400
    assert mine.form("/factors/", act="rename", id=str(factor.pk), name="").status_code == 400
    assert mine.form("/factors/", act="rename", id=str(factor.pk), name="Red phone").status_code == 302
    assert "Red phone" in mine.get("/factors/").content.decode()
    assert mine.form("/factors/", act="remove", id=str(factor.pk)).status_code == 302
    last = TOTPDevice.objects.get(user_id=cho.id)
    assert mine.form("/factors/", act="remove", id=str(last.pk)).status_code == 409
    assert selectors.factors_of(cho.by)


def test_recovery_codes_are_shown_once_and_let_in_once(make_account: MakeAccount, client_for: ClientFor) -> None:
    cho = make_account(Role.PROVIDER)
    page = client_for(cho).form("/factors/", act="codes").content.decode()
    codes = [line.partition("</code>")[0] for line in page.split("<code>")[1:]]
    assert len(codes) == 10
    again = client_for(cho).get("/factors/").content.decode()
    assert 'data-left="10"' in again and not any(code in again for code in codes)
    browser = half(cho)
    assert browser.form("/sign-in/recovery/", code="0-AAAA").status_code == 400
    assert browser.form("/sign-in/recovery/", code=codes[0])["Location"] == "/factors/"
    assert 'data-left="9"' in browser.get("/factors/").content.decode()
    assert half(cho).form("/sign-in/recovery/", code=codes[0]).status_code == 400
    assert RecoveryCode.objects.filter(used_at=None).count() == 9


def test_a_new_password_by_the_page_keeps_this_browser_alone(make_account: MakeAccount, client_for: ClientFor) -> None:
    cho = make_account(Role.PROVIDER)
    here, there = client_for(cho), client_for(cho)
    new = "nine lanterns over the bay"
    told = {"password": new, "password_again": new}
    assert here.form("/factors/password/", current="wrong wrong wrong", **told).status_code == 400
    assert here.form("/factors/password/", current=PASSWORD, **told)["Location"] == "/factors/"
    assert here.get("/api/v1/me/").status_code == 200
    assert there.get("/api/v1/me/").status_code == 401


def test_a_new_address_by_the_pages(make_account: MakeAccount, client_for: ClientFor) -> None:
    cho = make_account(Role.PROVIDER)
    assert client_for(cho).form("/factors/address/", email="new@people.example")["Location"] == "/factors/"
    path = selectors.email_change_path(EmailChange.objects.get().pk)
    anybody = Browser()
    assert anybody.get(path).status_code == 200
    assert User.objects.get(pk=cho.id).email == cho.email  # a mail scanner's GET confirms nothing
    assert anybody.form(path).status_code == 200
    assert User.objects.get(pk=cho.id).email == "new@people.example"
    assert anybody.get(path).status_code == anybody.form(path).status_code == 404
    assert services.sign_in(email="new@people.example", password=PASSWORD, address="192.0.2.1", by=cho.by).pk == cho.id


def test_a_page_that_asks_for_a_fresh_factor_leads_to_it_and_back(rf: Any) -> None:
    error = FreshFactorRequired()
    whole = answer(rf.get("/records/1/?a=b"), error, {})
    assert (whole.status_code, whole["Location"]) == (302, "/step-up/?next=%2Frecords%2F1%2F%3Fa%3Db")
    posted = answer(rf.post("/records/1/act/", headers={"Referer": "https://clinic.example/records/1/"}), error, {})
    assert posted["Location"] == "/step-up/?next=%2Frecords%2F1%2F"
    piece = rf.post("/records/1/act/", headers={"HX-Request": "true", "HX-Current-URL": "https://clinic.example/visit/2/"})
    assert answer(piece, error, {})["HX-Redirect"] == "/step-up/?next=%2Fvisit%2F2%2F"
    foreign = answer(rf.post("/x/", headers={"Referer": "https://evil.example//evil.example/"}), error, {})
    assert "evil.example" not in foreign["Location"].partition("?")[0]
