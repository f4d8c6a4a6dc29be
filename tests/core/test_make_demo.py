"""The demo clinic is made once, and a start that was ended in the middle heals."""

import json
import stat
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from telehealth.accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(django_settings, "DEMO", True)
    return tmp_path / "demo.json"


def test_it_is_made_once_for_its_owners_eyes(file: Path) -> None:
    call_command("make_demo", str(file))
    people = User.objects.count()
    text = file.read_text()
    call_command("make_demo", str(file))

    assert {each["role"] for each in json.loads(text)["sign_ins"]} >= {"provider", "nurse", "front_desk", "privacy_officer"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (User.objects.count(), file.read_text()) == (people, text)


def test_a_start_that_ended_after_the_commit_is_adopted(file: Path) -> None:
    call_command("make_demo", str(file))
    text = file.read_text()
    file.rename(file.with_name("demo.json.new"))

    call_command("make_demo", str(file))

    assert file.read_text() == text


def test_one_that_ended_before_it_begins_anew(file: Path) -> None:
    file.with_name("demo.json.new").write_text("of a transaction that never was")
    call_command("make_demo", str(file))
    assert len(json.loads(file.read_text())["sign_ins"]) == User.objects.count()


def test_a_file_that_was_taken_away_is_named(file: Path) -> None:
    call_command("make_demo", str(file))
    file.unlink()
    with pytest.raises(CommandError, match=r"demo\.json is gone"):
        call_command("make_demo", str(file))


def test_not_outside_a_demonstration(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django_settings, "DEMO", False)
    with pytest.raises(CommandError, match="demonstration"):
        call_command("make_demo", str(file))
    assert not file.exists()
