"""Staff out of a CSV file: a dry run tells line by line; one wrong line keeps everybody out."""

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils import timezone

from telehealth.accounts import services
from telehealth.accounts.access import Role
from telehealth.accounts.models import Invitation, RoleGrant
from tests.people import Browser, ClientFor, MakeAccount

pytestmark = pytest.mark.django_db
GOOD = "email,name,role\nann@clinic.example,Ann,nurse\nben@clinic.example,Ben,biller\n"


def test_wrong_lines_keep_everybody_out(make_account: MakeAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dee = make_account(Role.PROVIDER)
    bad = f"{GOOD}x,X,nurse\nANN@clinic.example,A,nurse\n{dee.email},D,nurse\nc@c.example,C,patient\n"
    bad += "d@d.example,,nurse\ne@e.example,E,nurse,more\n"
    file = tmp_path / "staff.csv"
    file.write_text(bad)
    with pytest.raises(CommandError, match="6 of 8 lines are wrong: nothing was done"):
        call_command("import_staff", str(file))
    told = [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()]
    assert told == ["ok", "ok", "email_invalid", "email_twice", "email_taken", "role_unknown", "name_invalid", "too_many_columns"]
    assert not Invitation.objects.exists()


def test_a_dry_run_changes_nothing_and_the_real_one_invites(tmp_path: Path, db: None) -> None:
    file = tmp_path / "staff.csv"
    file.write_text(GOOD)
    call_command("import_staff", str(file), dry_run=True)
    assert not Invitation.objects.exists()
    call_command("import_staff", str(file))
    assert set(Invitation.objects.values_list("name", "role")) == {("Ann", "nurse"), ("Ben", "biller")}


def test_an_administrators_import_waits_for_another(make_account: MakeAccount, audit_unit: None) -> None:
    services.import_staff(rows=GOOD.splitlines(), by=make_account(Role.ADMINISTRATOR).by, dry_run=False)
    assert RoleGrant.objects.filter(approved_at=None, invitation__isnull=False).count() == 2
    assert services.import_staff(rows=["name,email"], by=make_account(Role.ADMINISTRATOR).by)[0].problem == "columns"


PAGE = "/admin/accounts/invitation/import/"


def looked_through(browser: Browser, text: bytes) -> str:
    return str(browser.form(PAGE, file=SimpleUploadedFile("staff.csv", text)).content.decode())


def kept(page: str) -> str:
    """What the second button sends again."""
    found = re.search(r'name="text" value="([^"]*)"', page)
    return unescape(found[1]) if found else ""


def test_the_page_looks_through_first_and_invites_then(make_account: MakeAccount, client_for: ClientFor) -> None:
    ada = client_for(make_account(Role.ADMINISTRATOR))
    assert PAGE in ada.get("/admin/accounts/invitation/").content.decode()
    page = looked_through(ada, GOOD.encode())
    assert "ann@clinic.example" in page and "Nobody has been invited yet" in page and not Invitation.objects.exists()
    done = ada.form(PAGE, text=kept(page))
    assert (done.status_code, done["Location"]) == (302, "/admin/accounts/invitation/")
    assert RoleGrant.objects.filter(approved_at=None, invitation__isnull=False).count() == 2


WRONG = [GOOD.encode() + b"x,X,nurse\n", b"name,email\n", b"\xff\xfe", b"email,name,role\n\0,a,nurse\n", b"", b"x" * 900_000,
         b'email,name,role\n"' + b"y" * 150_000 + b'",Y,nurse\n']  # fmt: skip


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_a_file_that_is_wrong_invites_nobody_whatever_is_sent_then(make_account: MakeAccount, client_for: ClientFor, text: bytes) -> None:
    ada = client_for(make_account(Role.ADMINISTRATOR))
    page = looked_through(ada, text)
    assert "Invite " not in page
    ada.form(PAGE, text=text.decode(errors="replace").replace("\0", "?"))
    assert not Invitation.objects.exists()


def test_the_page_asks_for_a_fresh_factor_and_for_an_administrator(make_account: MakeAccount, client_for: ClientFor) -> None:
    ada = make_account(Role.ADMINISTRATOR)
    tired = client_for(ada, factor_at=timezone.now() - timedelta(minutes=6))
    for reply in (tired.get(PAGE), tired.form(PAGE, text=GOOD)):
        assert (reply.status_code, reply["Location"].partition("?")[0]) == (302, "/step-up/")
    assert client_for(make_account(Role.PRIVACY_OFFICER)).form(PAGE, text=GOOD).status_code == 403
    assert client_for(make_account(Role.NURSE)).form(PAGE, text=GOOD).status_code == 302
    assert not Invitation.objects.exists()
