"""Proof: a factor of its own, a fresh factor, and that nobody swaps somebody's factor with the password alone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from audit.ledger import ANONYMOUS, SYSTEM, Act, unit
from audit.ledger.models import Entry
from telehealth.accounts import factors, services, totp
from telehealth.accounts.access import Role
from telehealth.accounts.errors import (
    CodeReplayed,
    CodeWrong,
    FactorInUse,
    FreshFactorRequired,
    SecondFactorRequired,
    TooManyAttempts,
)
from telehealth.accounts.models import TOTPDevice
from telehealth.core import now
from telehealth.core.errors import DomainError
from tests.people import Acts, Browser, ClientFor, MakeAccount, body

pytestmark = pytest.mark.usefixtures("audit_unit")


def test_prove_takes_each_code_once_and_says_when_the_next_is(make_account: MakeAccount, acts: Acts) -> None:
    dee = make_account(Role.PROVIDER)
    code = dee.code()
    services.prove(by=dee.by, code=f" {code[:3]} {code[3:]} ")
    with pytest.raises(CodeReplayed) as refused:
        services.prove(by=dee.by, code=code)
    step = TOTPDevice.objects.get(user_id=dee.id).last_step
    assert refused.value.reply == {"next_code_at": totp.start_of(step + 1).isoformat()}
    assert Act.FACTOR_PROVED in acts()


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", "\x00" * 6, "0" * 5000])
def test_what_is_no_code_is_wrong_and_never_an_error(make_account: MakeAccount, typed: str) -> None:
    dee = make_account(Role.PROVIDER)
    with pytest.raises(CodeWrong):
        services.prove(by=dee.by, code=typed)


def test_replays_are_not_counted_as_guesses(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    code = dee.code()
    services.prove(by=dee.by, code=code)
    for _ in range(10):
        with pytest.raises(CodeReplayed):
            services.prove(by=dee.by, code=code)


def test_somebody_elses_code_is_wrong(make_account: MakeAccount) -> None:
    cho, dee = make_account(Role.PROVIDER), make_account(Role.PROVIDER)
    with pytest.raises(CodeWrong):
        services.prove(by=cho.by, code=dee.code())
    for nobody in (ANONYMOUS, SYSTEM):
        with pytest.raises(DomainError):
            services.prove(by=nobody, code=dee.code())


def test_who_has_no_factor_proves_nothing(make_account: MakeAccount) -> None:
    new = make_account(Role.NURSE, factor=False)
    with pytest.raises(CodeWrong):
        services.prove(by=new.by, code=new.code())
    services.start_enrolment(by=new.by)
    with pytest.raises(CodeWrong):
        services.prove(by=new.by, code=totp.code_at(TOTPDevice.objects.get(user_id=new.id).seed, totp.step_of(now())))


def test_a_stolen_password_does_not_replace_the_factor(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia = make_account(Role.PATIENT)
    thief = client_for(pia, factor_at=None)
    assert thief.get("/factors/totp/")["Location"] == "/sign-in/factor/"
    assert thief.form("/factors/totp/", code="123456").status_code in (302, 400)
    half = replace(pia.by, second_factor_at=None)
    old = replace(pia.by, second_factor_at=now() - timedelta(minutes=6))
    for attempt, error in (
        (lambda: services.start_enrolment(by=half), FactorInUse),
        (lambda: services.confirm_enrolment(by=half, code="123456"), FactorInUse),
        (lambda: services.start_passkey(by=half), FactorInUse),
        (lambda: services.start_enrolment(by=old), FreshFactorRequired),
        (lambda: services.start_passkey(by=old), FreshFactorRequired),
    ):
        with pytest.raises(error):
            attempt()
    assert TOTPDevice.objects.filter(user_id=pia.id).count() == 1


def test_a_fresh_factor_is_five_minutes_old_at_most(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER).by
    factors.require_fresh(dee)
    factors.require_fresh(replace(dee, second_factor_at=now() - timedelta(minutes=4, seconds=58)))
    for at in (now() - timedelta(minutes=5, seconds=1), now() + timedelta(minutes=1)):
        with pytest.raises(FreshFactorRequired):
            factors.require_fresh(replace(dee, second_factor_at=at))
    for nobody in (replace(dee, second_factor_at=None), ANONYMOUS, SYSTEM):
        with pytest.raises(SecondFactorRequired):
            factors.require_fresh(nobody)


def test_stepping_up_makes_a_session_fresh(make_account: MakeAccount, client_for: ClientFor) -> None:
    dee = make_account(Role.PROVIDER)
    browser = client_for(dee, factor_at=now() - timedelta(minutes=14))
    key = browser.session.session_key

    wrong = browser.post("/api/v1/step-up/", {"code": "x"})
    assert (wrong.status_code, body(wrong)["code"]) == (403, "code_wrong")
    right = browser.post("/api/v1/step-up/", {"code": dee.code()})
    assert right.status_code == 200
    assert body(right)["fresh_until"] > now().isoformat()
    assert browser.session.session_key != key
    replayed = browser.post("/api/v1/step-up/", {"code": dee.code()})
    assert (replayed.status_code, body(replayed)["code"]) == (409, "code_replayed")
    assert "next_code_at" in body(replayed)
    for bad in ({}, {"code": ["1"]}, {"code": "1", "more": 1}, {"code": "1" * 99}):
        assert browser.post("/api/v1/step-up/", bad).status_code == 400


def test_guesses_over_rest_are_slowed_down_too(make_account: MakeAccount, client_for: ClientFor) -> None:
    browser = client_for(make_account(Role.PROVIDER))
    tried = [browser.post("/api/v1/step-up/", {"code": "x"}) for _ in range(8)]
    assert [reply.status_code for reply in tried[:5]] == [403] * 5
    assert (tried[-1].status_code, body(tried[-1])["code"]) == (429, "too_many_attempts")
    assert "retry_at" in body(tried[-1])


def test_seeds_are_sealed(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    with connection.cursor() as cursor:
        cursor.execute("SELECT d::text FROM accounts_totpdevice d WHERE user_id = %s", [dee.id])
        row = cursor.fetchone()[0]
    assert dee.seed not in row and dee.seed.encode().hex() not in row
    cursor_rows = Entry.objects.filter(detail__contains=dee.seed)
    assert not cursor_rows.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_code_lets_one_in(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    code = dee.code()

    def use(_: int) -> str:
        with unit(SYSTEM, channel="command"):
            try:
                services.prove(by=dee.by, code=code)
            except (CodeReplayed, TooManyAttempts) as refused:
                return refused.code
            finally:
                connection.close()
        return "in"

    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(use, range(4)))
    assert verdicts.count("in") == 1


def test_a_burst_of_guesses_gains_nothing(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    heard = 0
    for _ in range(40):
        try:
            services.prove(by=dee.by, code="x")
        except CodeWrong:
            heard += 1
        except TooManyAttempts:
            pass
    assert heard <= 7


def test_an_unknown_browser_is_sent_to_sign_in() -> None:
    for page in ("/sign-in/factor/", "/factors/totp/"):
        assert Browser().get(page)["Location"] == "/sign-in/"


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_begin_at_once_set_up_one_authenticator(make_account: MakeAccount) -> None:
    nan = make_account(Role.NURSE, factor=False)

    def begin(_: int) -> str:
        try:
            with unit(SYSTEM, channel="command"):
                return services.start_enrolment(by=nan.by).seed
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as tabs:
        assert len(set(tabs.map(begin, range(6)))) == 1
