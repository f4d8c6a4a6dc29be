"""The ledger's keys, wrapped by the vault's provider (`AUDIT_KEYS=vault`): AWS KMS or a transit engine unwraps them.

The files hold blobs in base64 that `manage.py wrap_audit_keys` made. What is unwrapped is kept like every secret of the
keyring: in process memory, bounded, five minutes at most. When it cannot be had, no entry is made and nothing leaves.
"""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.ledger.errors import KeyUnavailable
from audit.ledger.keys import ed25519_key, kept
from telehealth.vault import keyring
from telehealth.vault.errors import VaultUnavailable

NAMES = {"AUDIT_MAC_KEY": "ledger:mac", "AUDIT_SIGNING_KEY": "ledger:signing"}


def wrapped(setting: str, secret: bytes) -> str:
    """The text to keep in place of a key."""
    return base64.b64encode(keyring.wrap_secret(secret, NAMES[setting])).decode() + "\n"


class VaultMac:
    """`AUDIT_MAC`: HMAC-SHA-256 under a wrapped key."""

    def __init__(self) -> None:
        self.blob = base64.b64decode(kept("AUDIT_MAC_KEY"))

    def __call__(self, text: bytes) -> bytes:
        return hmac.digest(_opened("AUDIT_MAC_KEY", self.blob), text, hashlib.sha256)


class VaultSigner:
    """`AUDIT_SIGNER`: Ed25519 under a wrapped key; AWS KMS and moto sign with other curves, so the key itself is wrapped."""

    def __init__(self) -> None:
        self.blob = base64.b64decode(kept("AUDIT_SIGNING_KEY"))

    def sign(self, message: bytes) -> bytes:
        return self._key().sign(message)

    def public_key(self) -> bytes:
        return self._key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def _key(self) -> Ed25519PrivateKey:
        return ed25519_key(_opened("AUDIT_SIGNING_KEY", self.blob))


def _opened(setting: str, blob: bytes) -> bytes:
    try:
        return keyring.unwrap_secret(blob, NAMES[setting])
    except VaultUnavailable:
        raise KeyUnavailable(f"{NAMES[setting]} cannot be unwrapped") from None
