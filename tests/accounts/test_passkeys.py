"""Passkeys: verified always, each answer for one purpose and once; alone they are two factors."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from audit.ledger import ANONYMOUS, Act
from telehealth.accounts import services
from telehealth.accounts.access import Role
from telehealth.accounts.errors import PasskeyNotMade, PasskeyWrong
from telehealth.accounts.models import Passkey, User
from telehealth.accounts.passkeys import options_to_register, options_to_show
from telehealth.core import now
from telehealth.core.errors import DomainError
from tests.people import Acts, MakeAccount, Person
from tests.soft_key import SoftKey

pytestmark = pytest.mark.usefixtures("audit_unit")


def make_passkey(person: Person, key: SoftKey | None = None, name: str = "Blue phone") -> SoftKey:
    """A passkey of this person, who has just shown a factor."""
    key = key or SoftKey()
    options, state = services.start_passkey(by=person.by)
    services.add_passkey(state=state, answer=key.register(options), name=name, by=person.by)
    return key


def test_a_passkey_is_made_shown_and_signs_in_alone(make_account: MakeAccount, acts: Acts) -> None:
    dee = make_account(Role.PROVIDER, factor=False)
    before = len(acts())
    half = replace(dee.by, second_factor_at=None)
    options, state = services.start_passkey(by=half)
    assert options["authenticatorSelection"]["userVerification"] == "required"
    key = SoftKey()
    at = services.add_passkey(state=state, answer=key.register(options), name="Blue phone", by=half)
    assert abs(now() - at) < timedelta(seconds=5)
    kept = Passkey.objects.get(user_id=dee.id)
    assert (kept.name, kept.last_used_at) == ("Blue phone", None)

    options, state = options_to_show(User.objects.get(pk=dee.id))
    assert options["userVerification"] == "required"
    services.prove_passkey(state=state, answer=key.show(options), by=dee.by)
    options, state = options_to_show(None)
    assert "allowCredentials" not in options or not options["allowCredentials"]
    user, at = services.sign_in_with_passkey(state=state, answer=key.show(options), address="192.0.2.1", by=ANONYMOUS)
    assert user.pk == dee.id
    kept.refresh_from_db()
    assert kept.last_used_at is not None
    assert [Act.FACTOR_ENROLLED, Act.FACTOR_PROVED, Act.SIGNED_IN] == acts()[before + 1 :]


@pytest.mark.parametrize(
    "falsify",
    [
        lambda key: setattr(key, "verified", False),
        lambda key: setattr(key, "origin", "https://evil.example"),
        lambda key: setattr(key, "rp_id", "evil.example"),
    ],
    ids=["not verified", "another origin", "another party"],
)
def test_what_is_not_verified_or_made_elsewhere_is_refused(make_account: MakeAccount, falsify: Callable[[SoftKey], None]) -> None:
    dee = make_account(Role.PROVIDER)
    good = make_passkey(dee)
    options, state = services.start_passkey(by=dee.by)
    state["require_user_verification"] = False  # whatever the session says
    bad = SoftKey()
    falsify(bad)
    with pytest.raises(PasskeyNotMade):
        services.add_passkey(state=state, answer=bad.register(options), name="x", by=dee.by)
    falsify(good)
    options, state = options_to_show(None)
    state["require_user_verification"] = False
    with pytest.raises(PasskeyWrong):
        services.sign_in_with_passkey(state=state, answer=good.show(options), address="192.0.2.1", by=ANONYMOUS)
    with pytest.raises(PasskeyWrong):
        services.prove_passkey(state=state, answer=good.show(options), by=dee.by)
    assert Passkey.objects.filter(user_id=dee.id).count() == 1


def test_an_answer_to_another_challenge_is_refused_and_so_is_a_copy(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    key = make_passkey(dee)
    asked, state = options_to_show(None)
    other, _ = options_to_show(None)
    with pytest.raises(PasskeyWrong):
        services.prove_passkey(state=state, answer=key.show(other), by=dee.by)
    answer = key.show(asked)
    services.prove_passkey(state=state, answer=answer, by=dee.by)
    with pytest.raises(PasskeyWrong):  # the authenticator's own counter
        services.prove_passkey(state=state, answer=answer, by=dee.by)


def test_somebody_elses_passkey_proves_nothing(make_account: MakeAccount) -> None:
    cho, dee = make_account(Role.PROVIDER), make_account(Role.PROVIDER)
    key = make_passkey(cho)
    options, state = options_to_show(None)
    with pytest.raises(PasskeyWrong):
        services.prove_passkey(state=state, answer=key.show(options), by=dee.by)
    key.handle = make_passkey(dee).handle
    options, state = options_to_show(None)
    with pytest.raises(PasskeyWrong):
        services.sign_in_with_passkey(state=state, answer=key.show(options), address="192.0.2.1", by=ANONYMOUS)


def test_a_passkey_is_registered_once(make_account: MakeAccount) -> None:
    cho, dee = make_account(Role.PROVIDER), make_account(Role.PROVIDER)
    key = make_passkey(cho)
    for person in (cho, dee):
        options, state = services.start_passkey(by=person.by)
        with pytest.raises(PasskeyNotMade):
            services.add_passkey(state=state, answer=key.register(options), name="again", by=person.by)
    assert Passkey.objects.get().user_id == cho.id


def test_a_switched_off_account_does_not_sign_in(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    key = make_passkey(dee)
    services.switch_off(account_id=dee.id, by=make_account(Role.ADMINISTRATOR).by)
    options, state = options_to_show(None)
    with pytest.raises(PasskeyWrong):
        services.sign_in_with_passkey(state=state, answer=key.show(options), address="192.0.2.1", by=ANONYMOUS)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda answer: {},
        lambda answer: [],
        lambda answer: "x",
        lambda answer: answer | {"response": None},
        lambda answer: answer | {"response": {}},
        lambda answer: answer | {"rawId": "é"},
        lambda answer: answer | {"response": answer["response"] | {"signature": "AAAA"}},
        lambda answer: answer | {"response": answer["response"] | {"authenticatorData": "AAAA"}},
        lambda answer: answer | {"response": answer["response"] | {"clientDataJSON": "e30"}},
        lambda answer: answer | {"response": answer["response"] | {"userHandle": "AAAA"}},
        lambda answer: answer | {"response": answer["response"] | {"userHandle": 5}},
    ],
)
def test_a_mangled_answer_is_wrong_and_never_an_error(make_account: MakeAccount, mangle: Callable[[dict[str, Any]], Any]) -> None:
    dee = make_account(Role.PROVIDER)
    key = make_passkey(dee)
    options, state = options_to_show(None)
    with pytest.raises(PasskeyWrong):
        services.prove_passkey(state=state, answer=mangle(key.show(options)), by=dee.by)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda answer: {},
        lambda answer: [],
        lambda answer: answer | {"response": None},
        lambda answer: answer | {"response": answer["response"] | {"attestationObject": "AAAA"}},
        lambda answer: answer | {"response": answer["response"] | {"clientDataJSON": "e30"}},
        lambda answer: answer | {"clientExtensionResults": []},
        lambda answer: answer | {"clientExtensionResults": {"credProps": 1}},
    ],
)
def test_a_mangled_passkey_is_not_made(make_account: MakeAccount, mangle: Callable[[dict[str, Any]], Any]) -> None:
    dee = make_account(Role.PROVIDER)
    options, state = options_to_register(User.objects.get(pk=dee.id))
    try:
        services.add_passkey(state=state, answer=mangle(SoftKey().register(options)), name="x", by=dee.by)
    except PasskeyNotMade:
        assert not Passkey.objects.exists()


def test_names_are_sealed_and_the_handle_is_an_id(make_account: MakeAccount) -> None:
    dee = make_account(Role.PROVIDER)
    key = make_passkey(dee, name="Canary of Dee")
    with connection.cursor() as cursor:
        cursor.execute("SELECT p::text FROM accounts_passkey p WHERE user_id = %s", [dee.id])
        row = cursor.fetchone()[0]
    assert "Canary" not in row and b"Canary of Dee".hex() not in row
    options, _ = services.start_passkey(by=dee.by)
    assert options["excludeCredentials"][0]["id"] == key.register(options)["id"]
    assert UUID(bytes=base64.urlsafe_b64decode(options["user"]["id"] + "==")) == dee.id


def test_every_refusal_is_on_record(make_account: MakeAccount, acts: Acts) -> None:
    dee = make_account(Role.PROVIDER)
    with pytest.raises(DomainError):
        services.prove_passkey(state={"challenge": "AAAA"}, answer={}, by=dee.by)
    assert Act.REFUSED in acts()
