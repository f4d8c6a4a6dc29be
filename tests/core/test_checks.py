"""Each mistake that must never reach production is named by a system check."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from telehealth.core import checks


def found() -> set[str | None]:
    return {message.id for message in [*checks.always(None), *checks.in_production(None)]}


def test_the_suite_itself_is_configured_right() -> None:
    assert found() == set()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("DEBUG", True, "telehealth.E001"),
        ("DATABASES", {"default": {"USER": "one"}, "owner": {"USER": "one"}}, "telehealth.E002"),
        ("PUBLIC_URL", "http://clinic.example", "telehealth.E005"),
        ("DATABASES", {"default": {"USER": "app", "HOST": "db.example", "OPTIONS": {"sslmode": "require"}}}, "telehealth.E006"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: Any, error: str) -> None:
    monkeypatch.setattr(django_settings, name, value)
    assert error in found()


def test_a_demonstration_beyond_loopback_is_refused(settings: Settings) -> None:
    settings.DEMO, settings.PUBLIC_URL = True, "http://clinic.example"
    assert "telehealth.E004" in found()


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "key"
    key.write_text("x")
    key.chmod(0o640)
    monkeypatch.setitem(os.environ, "VAULT_KEYRING_FILE", str(key))
    assert "telehealth.E003" in found()
    key.chmod(0o600)
    assert "telehealth.E003" not in found()


@pytest.mark.django_db
def test_a_database_that_may_log_values_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.database_logs(None, databases=["default"]) == []
    monkeypatch.setitem(checks.DATABASE_LOGS, "log_statement", "all")
    (warning,) = checks.database_logs(None, databases=["default"])
    assert (warning.id, "log_statement" in warning.msg) == ("telehealth.W001", True)
