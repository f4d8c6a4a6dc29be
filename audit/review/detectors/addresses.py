"""Whether two patients live at one address: by blind index, and inside the vault where a row has none yet."""

from collections.abc import Mapping
from typing import Any

from audit.review.detectors.names import holds
from telehealth.records.models import Patient
from telehealth.vault.blind import blind

LABEL = "records.Patient.address"


def same_home(own: Patient, other: Patient) -> bool:
    """Same line and postal code, however they are written. Nothing is opened."""
    return holds(own, "address", lambda here: _has_line(here) and _is_at(other, blind(LABEL, here)))


def _is_at(patient: Patient, index: bytes) -> bool:
    if patient.address_index is not None:
        return bytes(patient.address_index) == index
    return holds(patient, "address", lambda there: _has_line(there) and blind(LABEL, there) == index)


def _has_line(address: Mapping[str, Any]) -> bool:
    return any(letter.isalnum() for letter in str(address.get("line") or ""))
