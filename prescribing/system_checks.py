"""What must never be wrong about the pharmacy network, as system checks."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error

from prescribing import places

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def complete(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """A network without its secret, or without what every prescription must say, is no network."""
    if not settings.PHARMACY_NETWORK_URL:
        return []
    wanted = {
        "PHARMACY_NETWORK_SECRET": settings.PHARMACY_NETWORK_SECRET,
        "SCRIPT_CLINIC_ID": settings.SCRIPT_CLINIC_ID,
        "CLINIC_ADDRESS": places.address(settings.CLINIC_ADDRESS),
        "CLINIC_PHONE": places.phone(settings.CLINIC_PHONE),
    }
    missing = ", ".join(name for name, value in wanted.items() if not value)
    if not missing:
        return []
    return [Error(f"PHARMACY_NETWORK_URL is set, but not, or not in full: {missing}.", id="prescribing.E001")]


def private(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Prescriptions name patients: they do not travel in the clear."""
    url = urlsplit(settings.PHARMACY_NETWORK_URL)
    if settings.PHARMACY_NETWORK_URL and url.scheme != "https" and url.hostname not in LOOPBACK:
        return [Error("PHARMACY_NETWORK_URL must be https.", id="prescribing.E002")]
    return []
