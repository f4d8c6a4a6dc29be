"""Invitations: good once, for a while, kept nowhere; accepting one with an account recovers it."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from audit.ledger import ANONYMOUS, Act
from telehealth.accounts import selectors, services, totp
from telehealth.accounts.access import Role
from telehealth.accounts.errors import EmailTaken, InvitationUnusable, PasswordTooWeak, SignInFirst
from telehealth.accounts.models import Invitation, RecoveryCode, TOTPDevice, User
from telehealth.core import now
from tests.people import Acts, Browser, ClientFor, MakeAccount, Person, body

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("audit_unit", "attached")]
CHART = UUID(int=7)
FRESH = "an umbrella in the rain"
ATTACHED: list[dict[str, Any]] = []


def attach(**given: Any) -> None:
    ATTACHED.append(given)


@pytest.fixture
def attached(settings: Settings) -> list[dict[str, Any]]:
    settings.INVITATION_ACCEPTED = "tests.accounts.test_invitations.attach"
    ATTACHED.clear()
    return ATTACHED


@pytest.fixture
def desk(make_account: MakeAccount) -> Person:
    return make_account(Role.FRONT_DESK)


def invite(desk: Person, email: str = "pia@people.example", **given: Any) -> Invitation:
    wanted = {"role": Role.PATIENT, "patient_id": CHART, "relationship": "self", **given}
    return services.create_invitation(email=email, by=desk.by, **wanted)


def test_an_invited_patient_arrives_with_two_factors(desk: Person, attached: list[dict[str, Any]], acts: Acts) -> None:
    path = selectors.invitation_path(invite(desk).pk)
    browser = Browser()
    page = browser.get(path)
    assert page.status_code == 200
    assert b"pia@people.example" not in page.content

    accepted = browser.form(path, password=FRESH, password_again=FRESH)
    assert accepted["Location"] == "/factors/totp/"
    assert browser.get("/api/v1/me/").status_code == 403

    found = re.search(r"data-totp-secret>([A-Z2-7]+)<", browser.get("/factors/totp/").content.decode())
    assert found
    again = browser.get("/factors/totp/").content.decode()
    assert found[1] in again and re.search(r"<svg[^>]*viewBox", again)  # else only a corner of it is seen
    wrong = browser.form("/factors/totp/", code="000000" if totp.code_at(found[1], totp.step_of(now())) != "000000" else "1")
    assert wrong.status_code == 400
    done = browser.form("/factors/totp/", code=totp.code_at(found[1], totp.step_of(now())))
    assert done["Location"] == "/welcome/"
    assert browser.get("/welcome/").status_code == 200
    me = body(browser.get("/api/v1/me/"))
    assert me["role"] == "patient"
    assert attached[0] | {"by": None, "invitation_id": None} == {
        "patient_id": CHART,
        "account_id": UUID(me["id"]),
        "relationship": "self",
        "granted_by": desk.id,
        "by": None,
        "invitation_id": None,
    }
    assert [act for act in acts() if act in (Act.INVITATION_CREATED, Act.INVITATION_ACCEPTED, Act.FACTOR_ENROLLED)] == [
        Act.INVITATION_CREATED,
        Act.INVITATION_ACCEPTED,
        Act.FACTOR_ENROLLED,
    ]


def test_the_token_is_kept_nowhere_and_stays_the_same(desk: Person) -> None:
    invitation = invite(desk)
    token = selectors.token_of(invitation)
    assert selectors.token_of(Invitation.objects.get(pk=invitation.pk)) == token
    with connection.cursor() as cursor:
        cursor.execute("SELECT i::text FROM accounts_invitation i")
        row = cursor.fetchone()[0]
    assert token[22:] not in row and "pia@" not in row


def test_an_invitation_is_good_once(desk: Person) -> None:
    path = selectors.invitation_path(invite(desk).pk)
    assert Browser().form(path, password=FRESH, password_again=FRESH).status_code == 302
    assert Browser().get(path).status_code == 404
    assert Browser().form(path, password=FRESH, password_again=FRESH).status_code == 404
    assert User.objects.exclude(pk=desk.id).count() == 1


def test_expired_superseded_forged_and_cut_tokens_are_all_the_same(desk: Person) -> None:
    superseded, expired = selectors.token_of(invite(desk)), invite(desk, patient_id=UUID(int=8), email="old@people.example")
    good = selectors.token_of(invite(desk))
    expired.expires_at = now() - timedelta(seconds=1)
    expired.save(update_fields=["expires_at"])
    flipped = good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1]
    tokens = [superseded, selectors.token_of(expired), flipped, good[:22], good[:-4], "", "%00", "é", "A" * 64]

    for token in tokens:
        with pytest.raises(InvitationUnusable):
            services.accept(token=token, password=FRESH, by=ANONYMOUS)
        assert Browser().get(f"/invitation/{token or 'x'}/").status_code == 404
    assert selectors.open_invitation(good)


def test_a_second_guardian_does_not_undo_the_first(desk: Person) -> None:
    first = invite(desk, "gus@people.example", role=Role.PROXY, relationship="guardian")
    second = invite(desk, "gil@people.example", role=Role.PROXY, relationship="guardian")
    third = invite(desk, "Gus@people.example", role=Role.PROXY, relationship="guardian")
    with pytest.raises(InvitationUnusable):
        selectors.open_invitation(selectors.token_of(first))
    for still_open in (second, third):
        assert selectors.open_invitation(selectors.token_of(still_open))


@pytest.mark.parametrize("weak", ["short", "passwordpassword", "pia@people.example", "            "])
def test_a_weak_password_is_refused_and_the_invitation_stays(desk: Person, weak: str) -> None:
    invitation = invite(desk)
    path = selectors.invitation_path(invitation.pk)
    assert Browser().form(path, password=weak, password_again=weak).status_code == 400
    assert Browser().form(path, password=FRESH, password_again=FRESH + "!").status_code == 400
    with pytest.raises(PasswordTooWeak), transaction.atomic():
        services.accept(token=selectors.token_of(invitation), password="a" * 5, by=ANONYMOUS)
    assert selectors.open_invitation(selectors.token_of(invitation))
    assert not User.objects.exclude(pk=desk.id).exists()


def test_recovery_ends_everything_from_before(desk: Person, make_account: MakeAccount, client_for: ClientFor, acts: Acts) -> None:
    pia = make_account(Role.PATIENT)
    old = client_for(pia)
    assert old.get("/api/v1/me/").status_code == 200
    path = selectors.invitation_path(invite(desk, pia.email, account_id=pia.id).pk)

    new = Browser()
    assert new.form(path, password=FRESH, password_again=FRESH).status_code == 302

    assert old.get("/api/v1/me/").status_code == 401
    assert Browser().form("/sign-in/", email=pia.email, password=pia.password).status_code == 400
    assert not TOTPDevice.objects.filter(user_id=pia.id).exists()
    assert new.form("/sign-in/factor/", code=pia.code()).status_code == 400
    assert User.objects.get(pk=pia.id).epoch == 1
    assert Act.ACCOUNT_RECOVERED in acts() and Act.APPS_REVOKED in acts()


def test_the_account_is_found_by_its_address_when_the_desk_did_not_know_of_it(desk: Person, make_account: MakeAccount) -> None:
    gus = make_account(Role.PROXY, email="gus@people.example")
    invitation = invite(desk, "GUS@people.example")
    with pytest.raises(SignInFirst):
        services.accept(token=selectors.token_of(invitation), password=FRESH, by=ANONYMOUS)
    user = services.accept(token=selectors.token_of(invitation), by=gus.by)
    assert (user.pk, user.role) == (gus.id, Role.PATIENT)
    assert user.check_password(gus.password)


def test_recovery_may_bring_a_new_address(desk: Person, make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    invitation = invite(desk, "new@people.example", account_id=pia.id)
    services.accept(token=selectors.token_of(invitation), password=FRESH, by=ANONYMOUS)
    assert Browser().form("/sign-in/", email="new@people.example", password=FRESH).status_code == 302
    assert Browser().form("/sign-in/", email=pia.email, password=FRESH).status_code == 400


def test_no_invitation_reaches_a_staff_account(desk: Person, make_account: MakeAccount) -> None:
    admin = make_account(Role.ADMINISTRATOR)
    with pytest.raises(EmailTaken):
        invite(desk, admin.email)
    later = invite(desk, "moved@people.example")
    staff = User.objects.get(pk=admin.id)
    staff.email = "moved@people.example"
    staff.save(update_fields=["email"])
    with pytest.raises(EmailTaken), transaction.atomic():
        services.accept(token=selectors.token_of(later), password=FRESH, by=ANONYMOUS)
    assert User.objects.get(pk=admin.id).check_password(admin.password)


def test_nobody_recovers_a_switched_off_account(desk: Person, make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    invitation = invite(desk, pia.email, account_id=pia.id)
    services.switch_off(account_id=pia.id, by=make_account(Role.ADMINISTRATOR).by)
    assert Browser().form(selectors.invitation_path(invitation.pk), password=FRESH, password_again=FRESH).status_code in (400, 404)
    assert Browser().form("/sign-in/", email=pia.email, password=FRESH).status_code == 400


def test_one_address_signs_in_to_one_account(make_account: MakeAccount) -> None:
    make_account(Role.PATIENT, email="one@people.example")
    with pytest.raises(EmailTaken):
        make_account(Role.NURSE, email="ONE@people.example")


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("user_role_is_known", {"role": "owner"}),
        ("user_no_patient_name_in_the_clear", {"role": "patient", "name": "Pia"}),
        ("invitation_role_is_known", {"role": "owner", "patient": None, "relationship": ""}),
        ("invitation_names_the_patient_of_a_patient_account", {"role": "nurse"}),
        ("totp_one_being_set_up_per_session", {}),
        ("recovery_code_one_per_slot", {"slot": 0}),
        ("recovery_code_is_one_of_ten", {"slot": 10}),
    ],
)
def test_the_tables_refuse_what_makes_no_sense(desk: Person, constraint: str, change: dict[str, Any]) -> None:
    if constraint.startswith("user"):
        thing: Any = User.objects.get(pk=desk.id)
    elif constraint.startswith("invitation"):
        thing = invite(desk)
    elif constraint.startswith("recovery"):
        RecoveryCode.objects.create(user_id=desk.id, slot=0, hashed="x")
        thing = RecoveryCode(user_id=desk.id, hashed="x")
    else:
        TOTPDevice.objects.create(user_id=desk.id, seed=totp.new_seed())
        thing = TOTPDevice(user_id=desk.id, seed=totp.new_seed())
    for name, value in change.items():
        setattr(thing, name, value)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        thing.save()
