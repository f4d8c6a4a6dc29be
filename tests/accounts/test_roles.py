"""Roles of the staff: asked for by one, approved by another, over in time; confirmed every 90 days. In services and in the admin."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.ledger import SYSTEM, Act, Actor
from telehealth.accounts import rules, selectors, services, tasks
from telehealth.accounts.access import Role
from telehealth.accounts.errors import EmailTaken, FreshFactorRequired, ResetAsked, RoleAsked, RoleMissing, RolePeriodUnusable, StaffOnly
from telehealth.accounts.models import AccessToken, Invitation, Mailbox, RoleGrant, Session, StaffReset, TOTPDevice, User
from telehealth.accounts.models.staff import RECERTIFY
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from tests.conformance.test_access import app_of
from tests.people import PASSWORD, Acts, Browser, ClientFor, MakeAccount, Person

pytestmark = pytest.mark.django_db
GRANTS, INVITATIONS = "/admin/accounts/rolegrant/", "/admin/accounts/invitation/"
NEW_PASSWORD = "an umbrella in the rain"
WHY = "she takes over the desk"


@pytest.fixture
def ada(make_account: MakeAccount) -> Person:
    return make_account(Role.ADMINISTRATOR, name="Ada")


@pytest.fixture
def bob(make_account: MakeAccount) -> Person:
    return make_account(Role.ADMINISTRATOR, name="Bob")


@pytest.fixture
def dee(make_account: MakeAccount) -> Person:
    return make_account(Role.PROVIDER, name="Dr. Dee")


def ask(by: Person, about: Person, role: Role = Role.BILLER, **more: Any) -> RoleGrant:
    return services.request_role(account_id=about.id, role=role, code="moved", why=WHY, by=by.by, **more)


def choose(browser: Browser, page: str, action: str, row: Any) -> Any:
    return browser.post(page, {"action": action, "_selected_action": [str(row.pk)]}, format="multipart")


def role_of(person: Person) -> str:
    return User.objects.get(pk=person.id).role


def test_a_role_is_asked_for_and_approved_in_the_admin(
    ada: Person, bob: Person, dee: Person, client_for: ClientFor, audit_unit: None, acts: Acts
) -> None:
    at_work, first, second = client_for(dee), client_for(ada), client_for(bob)
    form = {"account": str(dee.id), "role": "biller", "code": "moved", "in_words": WHY}
    assert first.form(f"{GRANTS}add/", **form).status_code == 302
    asked = RoleGrant.objects.get(approved_at=None)
    assert (asked.requested_by, asked.why, role_of(dee)) == (ada.id, WHY, "provider")
    choose(first, GRANTS, "approve", asked)  # whoever asked
    assert role_of(dee) == "provider" and at_work.get("/api/v1/me/").status_code == 200
    choose(second, GRANTS, "approve", asked)
    asked.refresh_from_db()
    assert (asked.approved_by, role_of(dee)) == (bob.id, "biller")
    assert at_work.get("/api/v1/me/").status_code == 401
    assert {Act.ROLE_REQUESTED, Act.ROLE_APPROVED, Act.ROLE_CHANGED, Act.REFUSED} <= set(acts())
    assert list(RoleGrant.objects.filter(account=dee.id, ended_at=None)) == [asked]


def test_what_the_old_role_had_given_out_ends(ada: Person, bob: Person, dee: Person, audit_unit: None) -> None:
    app = app_of(dee.id)
    assert app.get("/api/v1/me/").status_code == 200
    services.approve_role(grant_id=ask(ada, dee).pk, by=bob.by)
    assert app.get("/api/v1/me/").status_code == 401
    assert not AccessToken.objects.filter(user_id=dee.id).exists()
    assert not Session.objects.filter(account=dee.id, ended_at=None).exists()


def test_nobody_approves_what_is_theirs(ada: Person, bob: Person, dee: Person, make_account: MakeAccount, audit_unit: None) -> None:
    mine, others = ask(ada, bob), ask(ada, dee)
    nurse, officer = make_account(Role.NURSE), make_account(Role.PRIVACY_OFFICER)
    for by, grant in ((ada, mine), (bob, mine), (ada, others), (dee, others), (nurse, others)):
        with pytest.raises(Missing):
            services.approve_role(grant_id=grant.pk, by=by.by)
    services.approve_role(grant_id=others.pk, by=officer.by)  # where there is one administrator only
    with pytest.raises(Missing):
        services.approve_role(grant_id=others.pk, by=bob.by)  # once
    services.withdraw_role_request(grant_id=mine.pk, by=ada.by)
    with pytest.raises(Missing):
        services.approve_role(grant_id=mine.pk, by=officer.by)


@pytest.mark.parametrize("given", [{"approved_by": "asker"}, {"approved_by": None}, {"approved_at": None}])
def test_the_database_holds_that_it_takes_two(ada: Person, bob: Person, dee: Person, audit_unit: None, given: dict[str, Any]) -> None:
    grant = ask(ada, dee)  # role_grant_by_two
    told = {"approved_at": now(), "approved_by": bob.id, **given}
    if told["approved_by"] == "asker":
        told["approved_by"] = ada.id
    with pytest.raises(IntegrityError, match="role_grant_by_two"), transaction.atomic():
        RoleGrant.objects.filter(pk=grant.pk).update(**told)
    with pytest.raises(IntegrityError, match="role_grant_for_staff"), transaction.atomic():
        RoleGrant.objects.filter(pk=grant.pk).update(role="patient")


def test_it_takes_a_fresh_factor(ada: Person, bob: Person, dee: Person, client_for: ClientFor, audit_unit: None) -> None:
    grant, old = ask(ada, dee), now() - timedelta(minutes=6)
    tired = Actor(id=bob.id, role=Role.ADMINISTRATOR, second_factor_at=old)
    for attempt in (
        lambda: services.approve_role(grant_id=grant.pk, by=tired),
        lambda: services.request_role(account_id=dee.id, role=Role.NURSE, code="moved", why=WHY, by=tired),
        lambda: services.invite_staff(email="x@clinic.example", role=Role.NURSE, name="X", by=tired),
    ):
        with pytest.raises(FreshFactorRequired):
            attempt()
    browser = client_for(bob, factor_at=old)
    for reply in (choose(browser, GRANTS, "approve", grant), browser.get(f"{GRANTS}add/")):
        assert reply["Location"].startswith("/step-up/?next=")
    assert role_of(dee) == "provider"


def test_one_request_at_a_time_and_none_for_patients(ada: Person, dee: Person, make_account: MakeAccount, audit_unit: None) -> None:
    pia = make_account(Role.PATIENT)
    ask(ada, dee)
    with pytest.raises(RoleAsked):  # role_asked_once_at_a_time
        ask(ada, dee, Role.NURSE)
    with pytest.raises(RolePeriodUnusable):
        ask(ada, dee, Role.NURSE, expires_at=now())
    with pytest.raises(StaffOnly):
        ask(ada, dee, Role.PROXY)
    for about in (pia, ada):
        with pytest.raises(Missing):
            ask(ada, about)


def over(grant: RoleGrant) -> None:
    """Its time is over, as the clock would have it."""
    RoleGrant.objects.filter(pk=grant.pk).update(expires_at=now())
    User.objects.filter(pk=grant.account_id).update(role_until=now())


def test_a_role_with_an_end_goes_at_its_end(ada: Person, bob: Person, dee: Person, client_for: ClientFor, audit_unit: None) -> None:
    grant = services.approve_role(grant_id=ask(ada, dee, expires_at=now() + timedelta(days=14)).pk, by=bob.by)
    browser, app = client_for(dee), app_of(dee.id)
    AccessToken.objects.update(epoch=User.objects.get(pk=dee.id).epoch)
    assert browser.get("/api/v1/me/").json()["role"] == app.get("/api/v1/me/").json()["role"] == "biller"
    over(grant)
    assert browser.get("/api/v1/me/").status_code == app.get("/api/v1/me/").status_code == 401  # before the clock has looked
    assert Browser().form("/sign-in/", email=dee.email, password=PASSWORD).status_code != 302
    tasks.end_roles()
    user = User.objects.get(pk=dee.id)
    assert (user.role, user.role_until, user.is_active) == ("provider", None, True)  # what it lay over
    assert Browser().form("/sign-in/", email=dee.email, password=PASSWORD).status_code == 302


def test_without_a_role_there_is_no_account(ada: Person, bob: Person, dee: Person, client_for: ClientFor, audit_unit: None) -> None:
    at_work, grant = client_for(dee), RoleGrant.objects.get(account=dee.id)
    services.end_role(grant_id=grant.pk, by=ada.by)
    assert at_work.get("/api/v1/me/").status_code == 401 and not User.objects.get(pk=dee.id).is_active
    with pytest.raises(RoleMissing):
        services.switch_on(account_id=dee.id, by=ada.by)
    services.approve_role(grant_id=ask(ada, dee, Role.NURSE).pk, by=bob.by)
    user = User.objects.get(pk=dee.id)
    assert (user.is_active, user.role) == (True, "nurse")


def test_switching_on_does_not_bring_back_what_ended(ada: Person, bob: Person, dee: Person, audit_unit: None) -> None:
    services.switch_off(account_id=dee.id, by=ada.by)
    services.approve_role(grant_id=ask(ada, dee).pk, by=bob.by)
    assert not User.objects.get(pk=dee.id).is_active  # a role is no way around the switch
    services.switch_on(account_id=dee.id, by=ada.by)
    assert role_of(dee) == "biller"


def test_who_may_confirm_a_role_is_reminded_once_a_week_until_it_is_done(
    ada: Person, bob: Person, dee: Person, acts: Acts, audit_unit: None
) -> None:
    RoleGrant.objects.all().delete()
    past = now() - RECERTIFY - timedelta(hours=1)
    due = RoleGrant.objects.create(account_id=dee.id, role=Role.PROVIDER, code="hired", approved_at=past, starts_at=past)
    own = RoleGrant.objects.create(account_id=ada.id, role=Role.ADMINISTRATOR, code="hired", approved_at=past, starts_at=past)

    def told() -> list[Any]:
        return list(Message.objects.filter(kind="roles_due").order_by("pk").values_list("person_id", flat=True))

    tasks.remind_reviewers()
    assert sorted(told()) == sorted([ada.id, bob.id])
    assert Act.ROLES_REMINDED in acts()
    tasks.remind_reviewers()
    assert len(told()) == 2, "once a week"
    Message.objects.all().delete()
    services.confirm_role(grant_id=due.pk, by=ada.by)
    tasks.remind_reviewers()
    assert told() == [bob.id], "her own is not hers to confirm"
    Message.objects.all().delete()
    services.confirm_role(grant_id=own.pk, by=bob.by)
    tasks.remind_reviewers()
    assert told() == []


def test_roles_are_confirmed_every_90_days(ada: Person, bob: Person, dee: Person, client_for: ClientFor, audit_unit: None) -> None:
    browser, grant = client_for(ada), RoleGrant.objects.get(account=dee.id)
    own = RoleGrant.objects.get(account=ada.id)
    RoleGrant.objects.filter(pk__in=[grant.pk, own.pk]).update(starts_at=now() - RECERTIFY)

    def due() -> set[str]:
        page = browser.get(f"{GRANTS}?state=due").content.decode()
        return {str(each.pk) for each in (grant, own, RoleGrant.objects.get(account=bob.id)) if str(each.pk) in page}

    assert due() == {str(grant.pk), str(own.pk)}
    for each in (grant, own):
        choose(browser, GRANTS, "confirm", each)
    assert due() == {str(own.pk)}  # nobody confirms their own
    grant.refresh_from_db()
    assert (grant.confirmed_by, grant.due_at) == (ada.id, grant.confirmed_at + RECERTIFY)  # type: ignore[operator]
    choose(client_for(bob), GRANTS, "end", own)
    assert not User.objects.get(pk=ada.id).is_active


def test_staff_are_invited_by_two(ada: Person, bob: Person, client_for: ClientFor, audit_unit: None) -> None:
    browser = client_for(ada)
    given = {"address": "new@clinic.example", "role": "nurse", "name": "New Nurse", "code": "hired"}
    assert browser.form(f"{INVITATIONS}add/", **given).status_code == 302
    assert browser.form(f"{INVITATIONS}add/", **{**given, "address": "n2@clinic.example", "role": "patient"}).status_code == 200
    invitation = Invitation.objects.get()
    path = selectors.invitation_path(invitation.pk)
    answer = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
    assert Browser().form(path, **answer).status_code == 404  # nobody has approved
    choose(browser, GRANTS, "approve", invitation.grant)
    assert Browser().form(path, **answer).status_code == 404
    choose(client_for(bob), GRANTS, "approve", invitation.grant)
    assert Browser().form(path, **answer).status_code == 302
    user = User.objects.get(email_index=User._meta.get_field("email_index").digest("new@clinic.example"))
    grant = RoleGrant.objects.get(account=user)
    assert (user.role, user.name, grant.requested_by, grant.approved_by) == ("nurse", "New Nurse", ada.id, bob.id)
    assert browser.form(f"{INVITATIONS}add/", **{**given, "address": "NEW@clinic.example"}).status_code == 200
    assert Invitation.objects.count() == 1


def test_an_invitation_to_a_role_that_was_withdrawn_stays_closed(ada: Person, bob: Person, audit_unit: None) -> None:
    invitation = services.invite_staff(email="new@clinic.example", role=Role.NURSE, name="N", by=ada.by)
    services.withdraw_role_request(grant_id=invitation.grant.pk, by=bob.by)
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=now() + timedelta(days=1))  # even so
    reply = Browser().form(selectors.invitation_path(invitation.pk), password=NEW_PASSWORD, password_again=NEW_PASSWORD)
    assert reply.status_code == 404 and not User.objects.filter(name="N").exists()


def test_the_operator_needs_nobody_else(audit_unit: None) -> None:
    invitation = services.invite_staff(email="first@clinic.example", role=Role.ADMINISTRATOR, name="First", by=SYSTEM)
    reply = Browser().form(selectors.invitation_path(invitation.pk), password=NEW_PASSWORD, password_again=NEW_PASSWORD)
    assert reply.status_code == 302
    grant = RoleGrant.objects.get(invitation=invitation)
    assert (grant.code, grant.requested_by, grant.approved_by) == ("operator", None, None)


def test_what_the_services_refuse_whatever_the_form_says(ada: Person, make_account: MakeAccount, audit_unit: None) -> None:
    pia, desk = make_account(Role.PATIENT), make_account(Role.FRONT_DESK)
    with pytest.raises(StaffOnly):
        services.invite_staff(email="x@clinic.example", role=Role.PATIENT, name="", by=ada.by)
    with pytest.raises(EmailTaken):
        services.invite_staff(email=pia.email, role=Role.NURSE, name="", by=ada.by)
    with pytest.raises(Missing):
        services.invite_staff(email="x@clinic.example", role=Role.NURSE, name="", by=desk.by)


RESETS = "/admin/accounts/staffreset/"


def test_a_reset_takes_two_and_everything_that_opened_the_account(
    ada: Person, bob: Person, dee: Person, client_for: ClientFor, audit_unit: None, acts: Acts
) -> None:
    at_work, first, second = client_for(dee), client_for(ada), client_for(bob)
    form = {"account": str(dee.id), "code": "lost", "in_words": "left in the train"}
    assert first.form(f"{RESETS}add/", **form).status_code == 302
    asked = User.objects.get(pk=dee.id).resets.get()
    choose(first, RESETS, "approve", asked)  # whoever asked
    choose(at_work, RESETS, "approve", asked)
    assert TOTPDevice.objects.filter(user_id=dee.id).exists() and not Invitation.objects.exists()
    choose(second, RESETS, "approve", asked)
    assert not TOTPDevice.objects.filter(user_id=dee.id).exists()
    assert at_work.get("/api/v1/me/").status_code == 401
    assert Browser().form("/sign-in/", email=dee.email, password=PASSWORD).status_code != 302
    done = acts()
    assert {Act.STAFF_RESET_REQUESTED, Act.STAFF_RESET, Act.STAFF_INVITED} <= set(done)
    path = selectors.invitation_path(Invitation.objects.get(account=dee.id).pk)
    assert Browser().form(path, password=NEW_PASSWORD, password_again=NEW_PASSWORD).status_code == 302
    assert role_of(dee) == "provider"
    assert Browser().form("/sign-in/", email=dee.email, password=NEW_PASSWORD).status_code == 302


def test_who_is_reset_is_told_at_the_address_that_stood(ada: Person, bob: Person, dee: Person, audit_unit: None) -> None:
    asked = services.request_reset(account_id=dee.id, code="lost", why=WHY, by=ada.by)
    services.approve_reset(reset_id=asked.pk, by=bob.by)
    told = dict(Message.objects.filter(destination="email").values_list("kind", "person_id"))
    assert set(told) == {"factors_changed", "invitation"} and told["invitation"] == Invitation.objects.get().pk
    assert Mailbox.objects.get(pk=told["factors_changed"]).email == dee.email


def test_a_reset_that_nobody_may_approve(ada: Person, bob: Person, dee: Person, make_account: MakeAccount, audit_unit: None) -> None:
    mine = services.request_reset(account_id=bob.id, code="lost", why=WHY, by=ada.by)
    for by in (ada, bob, dee):
        with pytest.raises(Missing):
            services.approve_reset(reset_id=mine.pk, by=by.by)
    with pytest.raises(ResetAsked):  # reset_asked_once_at_a_time
        services.request_reset(account_id=bob.id, code="lost", why=WHY, by=ada.by)
    services.withdraw_reset(reset_id=mine.pk, by=ada.by)
    carl = make_account(Role.ADMINISTRATOR)
    with pytest.raises(Missing):
        services.approve_reset(reset_id=mine.pk, by=carl.by)
    with pytest.raises(IntegrityError, match="staff_reset_by_two"), transaction.atomic():
        StaffReset.objects.filter(pk=mine.pk).update(approved_at=now(), approved_by=ada.id)
    for about in (make_account(Role.PATIENT), ada):
        with pytest.raises(Missing):
            services.request_reset(account_id=about.id, code="lost", why=WHY, by=ada.by)


@pytest.mark.parametrize("role", list(Role))
def test_who_may_approve_withdraw_review_and_invite(
    make_account: MakeAccount, ada: Person, dee: Person, audit_unit: None, role: Role
) -> None:
    person, asked, stands = (
        make_account(role),
        ask(ada, dee),
        RoleGrant.objects.get(account=dee.id, ended_at=None, approved_at__isnull=False),
    )
    office = role in (Role.ADMINISTRATOR, Role.PRIVACY_OFFICER)
    assert rules.may_approve(person.by, asked) is office
    assert rules.may_withdraw(person.by, asked) is office
    assert rules.may_review_role(person.by, stands) is office
    assert rules.may_invite_staff(person.by, None) is (role is Role.ADMINISTRATOR)
    assert rules.may_approve(person.by, stands) is rules.may_withdraw(person.by, stands) is rules.may_review_role(person.by, asked) is False
