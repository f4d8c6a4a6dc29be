"""Several factors per person, codes on paper, one's own password and address: behind a fresh factor, and told."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from audit.ledger import ANONYMOUS, SYSTEM, Act, unit, uuid7
from telehealth.accounts import factors, selectors, services, totp
from telehealth.accounts.access import Role
from telehealth.accounts.errors import (
    CodeReplayed,
    CodeWrong,
    EmailChangeUnusable,
    ExportWaits,
    FactorInUse,
    FreshFactorRequired,
    LastFactor,
    PasswordTooWeak,
    SecondFactorRequired,
    SignInFailed,
    TooManyAttempts,
)
from telehealth.accounts.models import EmailChange, RecoveryCode, TOTPDevice, User
from telehealth.accounts.passkeys import options_to_show
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from telehealth.records.addresses import address_of
from tests.accounts.test_passkeys import make_passkey
from tests.people import Acts, MakeAccount, Person

pytestmark = pytest.mark.usefixtures("audit_unit")
NEW_PASSWORD = "nine lanterns over the bay"


def add_authenticator(person: Person, name: str = "Old tablet") -> str:
    seed = services.start_enrolment(by=person.by).seed
    services.confirm_enrolment(by=person.by, code=totp.code_at(seed, totp.step_of(now())), name=name)
    return seed


def told(kind: str = "factors_changed") -> list[str]:
    """The addresses that notices of this kind go to."""
    found = [address_of(message.person_id) for message in Message.objects.filter(kind=kind).order_by("id") if message.person_id]
    return [address.email for address in found if address]


def test_several_factors_with_names_and_last_use(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    make_passkey(dee, name="Blue phone")
    seed = add_authenticator(dee)
    assert [factor.name for factor in selectors.factors_of(dee.by)] == [None, "Blue phone", "Old tablet"]
    services.prove(by=dee.by, code=dee.code())
    services.prove(by=dee.by, code=totp.code_at(seed, totp.step_of(now()) + 1))
    used = [factor.last_used_at is not None for factor in selectors.factors_of(dee.by)]
    assert used == [True, False, True]
    for code in (dee.code(), totp.code_at(seed, totp.step_of(now()) + 1)):
        with pytest.raises(CodeReplayed):
            services.prove(by=dee.by, code=code)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, '') FROM accounts_totpdevice t")
        assert b"Old tablet".hex() not in cursor.fetchone()[0]


def test_the_last_factor_stays_and_codes_on_paper_are_none(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    services.make_recovery_codes(by=dee.by)
    (only,) = selectors.factors_of(dee.by)
    with pytest.raises(LastFactor):
        services.remove_factor(factor_id=only.pk, by=dee.by)
    make_passkey(dee)
    services.remove_factor(factor_id=only.pk, by=dee.by)
    with pytest.raises(CodeWrong):
        services.prove(by=dee.by, code=dee.code())
    with pytest.raises(LastFactor):
        services.remove_factor(factor_id=selectors.factors_of(dee.by)[0].pk, by=dee.by)


@pytest.mark.django_db(transaction=True)
def test_two_removals_at_once_leave_one(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    add_authenticator(dee)
    ids = [factor.pk for factor in selectors.factors_of(dee.by)]

    def remove(factor_id: Any) -> str:
        try:
            with unit(SYSTEM, channel="command"):
                services.remove_factor(factor_id=factor_id, by=dee.by)
        except LastFactor as refused:
            return refused.code
        finally:
            connection.close()
        return "removed"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, ids)) == ["last_factor", "removed"]


def test_nobody_touches_the_factors_of_another(make_account: MakeAccount) -> None:
    cho, dee = make_account(Role.PROVIDER), make_account(Role.PROVIDER)
    make_passkey(cho)
    for factor in selectors.factors_of(cho.by):
        with pytest.raises(Missing):
            services.remove_factor(factor_id=factor.pk, by=dee.by)
        with pytest.raises(Missing):
            services.rename_factor(factor_id=factor.pk, name="mine", by=dee.by)
    with pytest.raises(Missing):
        services.rename_factor(factor_id=uuid7(), name="x", by=dee.by)


def test_a_seed_belongs_to_the_session_that_began_it(make_account: MakeAccount) -> None:
    nan = make_account(Role.NURSE, factor=False)
    thief, owner = (replace(nan.by, second_factor_at=None, session=name) for name in ("one", "two"))
    seed = services.start_enrolment(by=thief).seed
    assert services.start_enrolment(by=owner).seed != seed
    with pytest.raises(CodeWrong):
        services.confirm_enrolment(by=owner, code=totp.code_at(seed, totp.step_of(now())))
    services.confirm_enrolment(by=owner, code=totp.code_at(services.start_enrolment(by=owner).seed, totp.step_of(now())))
    with pytest.raises(FactorInUse):
        services.confirm_enrolment(by=thief, code=totp.code_at(seed, totp.step_of(now())))
    assert TOTPDevice.objects.filter(user_id=nan.id).count() == 1


def test_ten_recovery_codes_hashed_each_good_once(make_account: MakeAccount, acts: Acts) -> None:
    dee = make_account(Role.PROVIDER)
    codes = services.make_recovery_codes(by=dee.by)
    assert len(set(codes)) == 10
    secrets = [re.sub(r"\W", "", code)[1:] for code in codes]
    assert all(re.fullmatch(r"[A-Z2-7]{16}", secret) for secret in secrets)  # 80 bits
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, '') FROM accounts_recoverycode t")
        rows = cursor.fetchone()[0]
    assert rows.count("argon2id") == 10 and not any(secret in rows for secret in secrets)
    half = replace(dee.by, second_factor_at=None)
    services.use_recovery_code(by=half, code=codes[3].lower().replace("-", " "))
    assert selectors.recovery_codes_left(dee.by) == 9
    with pytest.raises(CodeWrong):
        services.use_recovery_code(by=half, code=codes[3])
    with pytest.raises(CodeWrong):
        services.use_recovery_code(by=make_account(Role.PROVIDER).by, code=codes[4])
    services.make_recovery_codes(by=dee.by)
    with pytest.raises(CodeWrong):
        services.use_recovery_code(by=half, code=codes[5])
    assert {Act.RECOVERY_CODES_MADE, Act.RECOVERY_CODE_USED} <= set(acts())


@pytest.mark.parametrize("typed", ["", "-", "3", "x" * 500, "٣ABCDABCDABCDABCD", "\x00", "3-é"])
def test_what_is_no_recovery_code_is_wrong_and_never_an_error(make_account: MakeAccount, typed: str) -> None:
    dee = make_account(Role.PROVIDER)
    services.make_recovery_codes(by=dee.by)
    with pytest.raises(CodeWrong):
        services.use_recovery_code(by=dee.by, code=typed)


def test_guesses_at_recovery_codes_and_at_codes_count_together(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    codes = services.make_recovery_codes(by=dee.by)
    heard = 0
    for _ in range(10):
        for guess in (services.use_recovery_code, services.prove):
            try:
                guess(by=dee.by, code="3AAAABBBBCCCCDDDD")
            except CodeWrong:
                heard += 1
            except TooManyAttempts:
                pass
    assert heard <= 7
    with pytest.raises(TooManyAttempts):
        services.use_recovery_code(by=dee.by, code=codes[0])


def test_a_recovery_code_signs_nothing(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    with pytest.raises(CodeWrong):
        services.prove(by=dee.by, code=services.make_recovery_codes(by=dee.by)[0])


def changes(person: Person, by: Any) -> list[Any]:
    (factor,) = selectors.factors_of(person.by)
    return [
        lambda: services.start_enrolment(by=by),
        lambda: services.start_passkey(by=by),
        lambda: services.make_recovery_codes(by=by),
        lambda: services.rename_factor(factor_id=factor.pk, name="x", by=by),
        lambda: services.remove_factor(factor_id=factor.pk, by=by),
        lambda: services.change_password(current=person.password, password=NEW_PASSWORD, by=by),
        lambda: services.ask_email_change(email="new@people.example", by=by),
        lambda: factors.require_export(by),
    ]


def test_every_change_needs_a_fresh_factor(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    old = replace(dee.by, second_factor_at=now() - timedelta(minutes=5, seconds=1))
    for change in changes(dee, old):
        with pytest.raises(FreshFactorRequired):
            change()
    for change in changes(dee, replace(dee.by, second_factor_at=None)):
        with pytest.raises((SecondFactorRequired, FactorInUse)):
            change()
    assert not Message.objects.exists()


def test_every_change_is_told_to_the_address_that_stood_before(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER, email="dee@people.example")
    steps = [
        lambda: add_authenticator(dee),
        lambda: make_passkey(dee),
        lambda: services.make_recovery_codes(by=dee.by),
        lambda: services.rename_factor(factor_id=selectors.factors_of(dee.by)[0].pk, name="x", by=dee.by),
        lambda: services.remove_factor(factor_id=selectors.factors_of(dee.by)[0].pk, by=dee.by),
        lambda: services.change_password(current=dee.password, password=NEW_PASSWORD, by=dee.by),
    ]
    for number, step in enumerate(steps, 1):
        step()
        assert len(told()) == number
    services.ask_email_change(email="new@people.example", by=dee.by)
    services.confirm_email_change(token=token_of_mail(), by=ANONYMOUS)
    services.use_recovery_code(by=dee.by, code=services.make_recovery_codes(by=dee.by)[0])
    assert told() == ["dee@people.example"] * 7 + ["new@people.example"] * 2


def token_of_mail() -> str:
    change = EmailChange.objects.latest("created_at")
    return urlsplit(selectors.email_change_path(change.pk)).path.rstrip("/").rpartition("/")[2]


def test_an_address_changes_when_the_new_one_confirms(make_account: MakeAccount, acts: Acts) -> None:
    dee = make_account(Role.PROVIDER, email="dee@people.example")
    services.ask_email_change(email="new@people.example", by=dee.by)
    assert told("email_change") == ["new@people.example"]
    assert User.objects.get(pk=dee.id).email == "dee@people.example"
    token = token_of_mail()
    services.confirm_email_change(token=token, by=ANONYMOUS)
    assert User.objects.get(pk=dee.id).email == "new@people.example"
    assert told() == ["dee@people.example"]
    with pytest.raises(EmailChangeUnusable):
        services.confirm_email_change(token=token, by=ANONYMOUS)
    assert {Act.EMAIL_CHANGE_ASKED, Act.EMAIL_CHANGED} <= set(acts())


@pytest.mark.parametrize("how", ["another asked", "new password", "recovered", "a day later", "switched off", "forged"])
def test_a_change_that_waited_ends(make_account: MakeAccount, how: str) -> None:
    dee = make_account(Role.PROVIDER)
    services.ask_email_change(email="thief@evil.example", by=dee.by)
    token = token_of_mail()
    if how == "another asked":
        services.ask_email_change(email="other@people.example", by=dee.by)
    elif how == "new password":
        services.change_password(current=dee.password, password=NEW_PASSWORD, by=dee.by)
    elif how == "recovered":
        services.recover(account_id=dee.id, email=dee.email, role=Role.PROVIDER, password=NEW_PASSWORD, by=SYSTEM)
    elif how == "a day later":
        EmailChange.objects.update(expires_at=now())
    elif how == "switched off":
        services.switch_off(account_id=dee.id, by=SYSTEM)
    else:
        token = token[:-6] + ("AAAA" if not token.endswith("AAAA==") else "BBBB") + token[-2:]
    with pytest.raises(EmailChangeUnusable):
        services.confirm_email_change(token=token, by=ANONYMOUS)
    assert User.objects.get(pk=dee.id).email == dee.email


def test_an_address_in_use_gets_no_message_and_the_asker_no_hint(make_account: MakeAccount) -> None:
    dee, pia = make_account(Role.PROVIDER), make_account(Role.PATIENT)
    services.ask_email_change(email=pia.email.upper(), by=dee.by)
    assert not Message.objects.filter(kind="email_change").exists()


def test_a_new_password_needs_the_old_one_and_ends_what_was(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    with pytest.raises(SignInFailed):
        services.change_password(current="not this one at all", password=NEW_PASSWORD, by=dee.by)
    with pytest.raises(PasswordTooWeak):
        services.change_password(current=dee.password, password="short", by=dee.by)
    epoch = User.objects.get(pk=dee.id).epoch
    services.change_password(current=dee.password, password=NEW_PASSWORD, by=dee.by)
    assert User.objects.get(pk=dee.id).epoch > epoch
    assert services.sign_in(email=dee.email, password=NEW_PASSWORD, address="192.0.2.1", by=ANONYMOUS).pk == dee.id


def test_a_recovered_patient_exports_nothing_for_a_day_and_every_factor_is_gone(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT, email="pia@people.example")
    key = make_passkey(pia)
    services.make_recovery_codes(by=pia.by)
    factors.require_export(pia.by)
    before = len(told())
    services.recover(account_id=pia.id, email="new@people.example", role=Role.PATIENT, password=NEW_PASSWORD, by=SYSTEM)
    assert told()[before:] == ["pia@people.example"]
    assert not RecoveryCode.objects.exists() and not selectors.factors_of(pia.by)
    options, state = options_to_show(None)
    with pytest.raises(Exception, match="passkey_wrong"):
        services.sign_in_with_passkey(state=state, answer=key.show(options), address="192.0.2.1", by=ANONYMOUS)
    with pytest.raises(ExportWaits) as waits:
        factors.require_export(pia.by)
    assert timedelta(hours=23, minutes=59) < User.objects.get(pk=pia.id).no_export_until - now() <= timedelta(hours=24)  # type: ignore[operator]
    assert waits.value.reply["until"]
    User.objects.filter(pk=pia.id).update(no_export_until=now())
    factors.require_export(pia.by)
