"""Django's admin: behind two factors, by the access table; administrators manage staff and see patients as ids."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from audit.ledger import SYSTEM
from telehealth.accounts.access import EVERYONE, Action, Role, scopes
from telehealth.accounts.admin_tables import TableAdmin
from telehealth.accounts.models import Application, Invitation, User
from telehealth.accounts.rules import may_manage
from tests.people import PASSWORD, Browser, ClientFor, MakeAccount

pytestmark = pytest.mark.django_db
ADMITTED = {Role.ADMINISTRATOR, Role.PRIVACY_OFFICER}
LIST = "/admin/accounts/user/"


@pytest.mark.parametrize("role", list(Role))
def test_each_page_of_the_admin_is_for_who_the_table_says(make_account: MakeAccount, client_for: ClientFor, role: Role) -> None:
    person = make_account(role)
    browser, half = client_for(person), client_for(person, factor_at=None)
    for model, page in admin.site._registry.items():
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        resource = getattr(page, "resource", None)
        is_setting = not isinstance(page, TableAdmin) or resource in EVERYONE  # for who may change it; to be read there is REST
        needed = Action.UPDATE if is_setting else Action.SEARCH
        allowed = role in ADMITTED and bool(resource and scopes(role, needed, resource))
        if model._meta.label != "audit.Entry":
            assert (browser.get(address).status_code == 200) == allowed, address
        for other in (half, Browser()):
            assert other.get(address).status_code == 302


def test_patients_are_ids_to_an_administrator(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia, dee = make_account(Role.PATIENT), make_account(Role.PROVIDER, name="Dr. Dee")
    browser = client_for(make_account(Role.ADMINISTRATOR))
    for address in (LIST, f"{LIST}{pia.id}/change/", f"{LIST}{dee.id}/change/"):
        page = browser.get(address)
        assert page.status_code == 200
        assert pia.email.encode() not in page.content and dee.email.encode() not in page.content
    assert str(pia.id).encode() in browser.get(LIST).content
    assert browser.post(f"{LIST}{pia.id}/change/", {"role": "administrator"}, format="multipart").status_code == 403
    assert User.objects.get(pk=pia.id).role == "patient"


def test_nobody_deletes_an_account_or_makes_one_with_a_password(make_account: MakeAccount, client_for: ClientFor) -> None:
    dee, browser = make_account(Role.PROVIDER), client_for(make_account(Role.ADMINISTRATOR))
    assert browser.get(f"{LIST}{dee.id}/delete/").status_code == 403
    assert browser.get(f"{LIST}add/").status_code == 403
    assert browser.get(f"{LIST}{dee.id}/password/").status_code in (302, 404)
    assert browser.get("/admin/password_change/").status_code == 404
    assert User.objects.filter(pk=dee.id).exists()


def test_switching_off_and_on(make_account: MakeAccount, client_for: ClientFor) -> None:
    dee, boss = make_account(Role.PROVIDER), make_account(Role.ADMINISTRATOR)
    at_work, browser = client_for(dee), client_for(boss)

    def choose(action: str) -> Any:
        return browser.post(LIST, {"action": action, "_selected_action": [str(dee.id), str(boss.id)]}, format="multipart")

    assert choose("switch_off").status_code == 302
    assert at_work.get("/api/v1/me/").status_code == 401
    assert browser.get("/api/v1/me/").status_code == 200  # never oneself
    choose("switch_on")
    assert User.objects.get(pk=dee.id).is_active
    assert Browser().form("/sign-in/", email=dee.email, password=PASSWORD).status_code == 302


@pytest.mark.parametrize("action", ["switch_off", "switch_on"])
def test_switching_asks_for_a_fresh_factor(make_account: MakeAccount, client_for: ClientFor, action: str) -> None:
    dee, boss = make_account(Role.PROVIDER), make_account(Role.ADMINISTRATOR)
    User.objects.filter(pk=dee.id).update(is_active=action == "switch_off")
    tired = client_for(boss, factor_at=timezone.now() - timedelta(minutes=6))
    told = tired.post(LIST, {"action": action, "_selected_action": [str(dee.id)]}, format="multipart")
    assert (told.status_code, told["Location"].partition("?")[0]) == (302, "/step-up/")
    assert User.objects.get(pk=dee.id).is_active == (action == "switch_off")


def test_an_app_is_registered_for_code_with_pkce_only(make_account: MakeAccount, client_for: ClientFor) -> None:
    browser = client_for(make_account(Role.ADMINISTRATOR))
    add = reverse("admin:accounts_application_add")
    page = browser.get(add)
    assert page.status_code == 200
    given = {
        "client_id": "new-app",
        "name": "New",
        "client_type": "public",
        "redirect_uris": "https://app.example/cb",
        "client_secret": "s",
    }
    assert browser.form(add, **given).status_code == 302
    app = Application.objects.get()
    assert (app.authorization_grant_type, app.skip_authorization) == ("authorization-code", False)
    assert app.client_secret != "s"


def test_the_first_administrator_comes_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("invite_staff", "ada@clinic.example", "Ada")
    link = capsys.readouterr().out.strip()
    assert link.startswith("http://localhost:8000/invitation/")
    assert Browser().get(link.removeprefix("http://localhost:8000")).status_code == 200
    assert Invitation.objects.get().role == "administrator"


def test_the_command_says_no_in_one_line(make_account: MakeAccount) -> None:
    pia = make_account(Role.PATIENT)
    with pytest.raises(CommandError, match="email_taken"):
        call_command("invite_staff", pia.email, "Pia")


@pytest.mark.parametrize("role", list(Role))
def test_staff_are_managed_by_others_and_patients_by_nobody(make_account: MakeAccount, role: Role) -> None:
    boss, person = make_account(Role.ADMINISTRATOR), make_account(role)
    user = User.objects.get(pk=person.id)
    assert may_manage(boss.by, user) is (role not in (Role.PATIENT, Role.PROXY))
    assert may_manage(person.by, user) is False
    assert may_manage(SYSTEM, user) is (role not in (Role.PATIENT, Role.PROXY))


@pytest.mark.parametrize("guess", ["password__startswith", "password__regex", "email_index__isnull", "totp_devices__confirmed"])
def test_the_list_is_no_oracle_for_what_it_does_not_show(make_account: MakeAccount, client_for: ClientFor, guess: str) -> None:
    pia = make_account(Role.PATIENT)
    browser = client_for(make_account(Role.ADMINISTRATOR))
    value = User.objects.get(pk=pia.id).password[:40]
    for address in (LIST, "/admin/accounts/invitation/", "/admin/accounts/application/", "/admin/accounts/rolegrant/"):
        page = browser.get(address, {guess: value})
        assert page.status_code in {302, 400}, address
        assert str(pia.id).encode() not in page.content
    assert browser.get(LIST, {"role__exact": "patient", "q": str(pia.id)}).status_code == 200


def test_the_admin_redirects_to_no_object_by_its_number(make_account: MakeAccount, client_for: ClientFor) -> None:
    assert client_for(make_account(Role.ADMINISTRATOR)).get("/admin/r/1/1/").status_code == 404
