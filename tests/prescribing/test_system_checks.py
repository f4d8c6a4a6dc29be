"""A pharmacy network that is half set up, or spoken to in the clear, is named before it harms."""

import pytest
from pytest_django import Settings

from prescribing.system_checks import complete, private

WHOLE = {
    "PHARMACY_NETWORK_URL": "https://network.example",
    "PHARMACY_NETWORK_SECRET": "s",
    "SCRIPT_CLINIC_ID": "clinic-1",
    "CLINIC_ADDRESS": {"line": "1 Harbor Way", "city": "Quincy", "state": "MA", "postal_code": "02169"},
    "CLINIC_PHONE": "617-555-0100",
}


@pytest.fixture(autouse=True)
def whole(settings: Settings) -> None:
    for name, value in WHOLE.items():
        setattr(settings, name, value)


def test_a_whole_network_and_none_at_all_are_right(settings: Settings) -> None:
    assert (complete(None), private(None)) == ([], [])
    settings.PHARMACY_NETWORK_URL = settings.PHARMACY_NETWORK_SECRET = ""
    assert (complete(None), private(None)) == ([], [])


@pytest.mark.parametrize("name", sorted(WHOLE.keys() - {"PHARMACY_NETWORK_URL"}))
def test_what_is_missing_is_named(settings: Settings, name: str) -> None:
    setattr(settings, name, type(WHOLE[name])())
    (fault,) = complete(None)
    assert name in fault.msg


def test_http_is_for_loopback_alone(settings: Settings) -> None:
    settings.PHARMACY_NETWORK_URL = "http://127.0.0.1:9"
    assert private(None) == []
    settings.PHARMACY_NETWORK_URL = "http://network.example"
    assert [fault.id for fault in private(None)] == ["prescribing.E002"]
