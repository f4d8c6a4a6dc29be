"""Guessing: the lock, what it tells whom, when to come back, and how alike the answers are."""

import gzip
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.test import override_settings

from audit.ledger import Act
from audit.ledger.models import Entry
from telehealth.accounts import passwords
from telehealth.accounts.access import Role
from telehealth.accounts.throttle import FIRST_WAIT, LOCK_AT, LOCKED_FOR, Throttle
from telehealth.outbox.models import Message
from telehealth.vault.blind import blind
from tests.accounts.test_factor_pages import shown
from tests.accounts.test_passkeys import make_passkey
from tests.people import Browser, ClientFor, MakeAccount, Person, body

pytestmark = pytest.mark.django_db
WRONG = "not the right password"


def sign_in(email: str, password: str = WRONG) -> Any:
    return Browser().form("/sign-in/", email=email, password=password)


def patient_guesser(email: str, times: int) -> list[Any]:
    """Waits as long as it is told to, each time."""
    answers = []
    for _ in range(times):
        cache.delete_many([f"{name}:wait" for name in throttles(email)])
        answers.append(sign_in(email))
    return answers


def throttles(email: str) -> list[str]:
    from_address = Throttle("address", "127.0.0.1").wait_key.removesuffix(":wait")
    return [Throttle("password", blind("accounts.User.email", email).hex()).wait_key.removesuffix(":wait"), from_address]


def test_each_failure_doubles_the_wait_and_the_answer_says_how_long(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    patient_guesser(pia.email, 6)
    early = sign_in(pia.email)
    assert early.status_code == 429 and 1 <= int(early["Retry-After"]) <= FIRST_WAIT
    patient_guesser(pia.email, 1)
    later = sign_in(pia.email)
    assert later.status_code == 429 and FIRST_WAIT < int(later["Retry-After"]) <= 2 * FIRST_WAIT


def test_ten_failures_lock_on_record_and_the_person_is_told_once(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    answers = patient_guesser(pia.email, LOCK_AT + 2)
    assert [answer.status_code for answer in answers] == [400] * (LOCK_AT + 2)
    refused = sign_in(pia.email, pia.password)
    assert refused.status_code == 429 and LOCKED_FOR - 60 < int(refused["Retry-After"]) <= LOCKED_FOR
    assert [entry.object_pk for entry in Entry.objects.filter(act=Act.ACCOUNT_LOCKED)] == [str(pia.id)]
    assert Message.objects.filter(kind="account_locked", person_id=pia.id).count() == 1


def test_an_unknown_account_is_locked_alike_and_nobody_is_told(make_account: MakeAccount) -> None:
    make_account(Role.PATIENT)
    answers = patient_guesser("nobody@people.example", LOCK_AT)
    assert [answer.status_code for answer in answers] == [400] * LOCK_AT
    refused = sign_in("nobody@people.example")
    assert refused.status_code == 429 and int(refused["Retry-After"]) > LOCKED_FOR - 60
    assert not Message.objects.exists() and not Entry.objects.filter(act=Act.ACCOUNT_LOCKED).exists()


def test_known_and_unknown_accounts_take_as_long(make_account: MakeAccount) -> None:
    with override_settings(PASSWORD_HASHERS=["telehealth.accounts.passwords.Argon2id"]):
        pia = make_account(Role.PATIENT)
        took: dict[str, list[float]] = {pia.email: [], "nobody@people.example": []}
        for _ in range(5):
            for email, times in took.items():
                cache.clear()
                began = time.process_time()
                assert sign_in(email).status_code == 400
                times.append(time.process_time() - began)
    known, unknown = (statistics.median(times) for times in took.values())
    assert 0.6 < known / unknown < 1.6, (known, unknown)


def test_codes_lock_too(make_account: MakeAccount, client_for: ClientFor) -> None:
    dee = make_account(Role.PROVIDER)
    browser = client_for(dee, factor_at=None)
    for _ in range(LOCK_AT):
        cache.delete(Throttle("factor", str(dee.id)).wait_key)
        assert browser.form("/sign-in/factor/", code=wrong(dee)).status_code == 400
    assert browser.form("/sign-in/factor/", code=dee.code()).status_code == 429
    assert Entry.objects.filter(act=Act.ACCOUNT_LOCKED, object_pk=str(dee.id)).count() == 1


def test_programs_are_told_when_to_come_back(make_account: MakeAccount, client_for: ClientFor) -> None:
    dee = make_account(Role.PROVIDER)
    browser = client_for(dee)
    answers = [browser.post("/api/v1/step-up/", {"code": wrong(dee)}) for _ in range(7)]
    assert (answers[-1].status_code, body(answers[-1])["code"]) == (429, "too_many_attempts")
    assert 1 <= int(answers[-1]["Retry-After"]) <= FIRST_WAIT


def wrong(person: Person) -> str:
    valid = {person.code(ahead) for ahead in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in valid)


@pytest.mark.parametrize("name", ["more.txt", "more.txt.gz"])
def test_a_larger_list_of_common_passwords(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    text = b"tidal lighthouse\nWandering Albatross\n"
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    stock, larger = passwords.Uncommon(), passwords.Uncommon(more=str(path))
    for password in ("tidal lighthouse", "Tidal Lighthouse"):
        stock.validate(password)
        with pytest.raises(ValidationError) as refused:
            larger.validate(password)
        assert refused.value.code == "password_too_common"
    with pytest.raises(ValidationError):
        larger.validate("Password1234")
    larger.validate("four words nobody wrote")


def test_a_list_that_cannot_be_read_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="COMMON_PASSWORDS_FILE"):
        passwords.Uncommon(more=str(tmp_path / "gone"))


def test_a_locked_account_lets_its_passkey_in(make_account: MakeAccount, audit_unit: None) -> None:
    cho = make_account(Role.PROVIDER)
    key = make_passkey(cho)
    patient_guesser(cho.email, LOCK_AT)
    assert sign_in(cho.email, cho.password).status_code == 429
    browser = Browser()
    reply = browser.form("/sign-in/", answer=shown(browser, key, "sign-in"))
    assert reply.status_code == 302
    assert browser.get("/api/v1/me/").status_code == 200
