"""Telephone numbers as the consent ledger and the limits know them: a keyed index (telehealth.vault.blind), never the number.

Written under the newest root of the vault's index, looked for under each that the keyring still holds. A root that is gone
takes the consents under it along, and nobody is texted without a consent that is found.
"""

from telehealth.vault import blind, keyring, phases

LABEL = "outbox.ContactConsent.number"


def index_of(number: str) -> bytes:
    """The index to write."""
    return _digest(number, phases.known().written)


def indexes_of(number: str) -> list[bytes]:
    """Every index that this number may stand under."""
    return [_digest(number, version) for version in keyring.index_versions()]


def _digest(number: str, version: int) -> bytes:
    return blind.digest(LABEL, number, "phone", version)
