"""Staff out of a CSV file: a dry run tells line by line; one wrong line keeps everybody out."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from telehealth.accounts import services
from telehealth.accounts.access import Role
from telehealth.accounts.models import Invitation, RoleGrant
from tests.people import MakeAccount

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
