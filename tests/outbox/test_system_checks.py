"""Settings that would make texts too long, or reminders pointless, are named before anything starts."""

from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, set()),
        ({"CLINIC_NAME": "N" * 30, "APPOINTMENT_REMINDERS": []}, set()),
        ({"CLINIC_NAME": "N" * 31}, {"outbox.E001"}),
        ({"CLINIC_NAME": ""}, {"outbox.E001"}),
        ({"APPOINTMENT_REMINDERS": [120, 120]}, {"outbox.E002"}),
        ({"APPOINTMENT_REMINDERS": [0]}, {"outbox.E002"}),
        ({"APPOINTMENT_REMINDERS": [43_201]}, {"outbox.E002"}),
    ],
)
def test_what_is_wrong_is_named(settings: Settings, values: dict[str, Any], found: set[str]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    assert {each.id for each in run_checks() if str(each.id).startswith("outbox")} == found
