"""The ledger's two keys, by small protocols: a MAC for entries, a signature for checkpoints.

Both keys live outside the database. `settings.AUDIT_MAC` and `settings.AUDIT_SIGNER` name the providers;
the local ones read files. The web process needs the MAC key only, the sealer both, a verifier neither
signing key nor database write.
"""

import base64
import hashlib
import hmac
from functools import cache
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from audit.tlog.notes import Signer


class Mac(Protocol):
    """Authenticates an entry's canonical text: 32 bytes."""

    def __call__(self, text: bytes) -> bytes: ...


class LocalMac:
    """HMAC-SHA-256 under `settings.AUDIT_MAC_KEY` (32 bytes, base64)."""

    def __init__(self) -> None:
        self.key = base64.b64decode(settings.AUDIT_MAC_KEY)
        if len(self.key) < 32:
            raise ImproperlyConfigured("AUDIT_MAC_KEY must hold 32 random bytes in base64")

    def __call__(self, text: bytes) -> bytes:
        return hmac.digest(self.key, text, hashlib.sha256)


class LocalSigner:
    """An Ed25519 private key in the PEM file `settings.AUDIT_SIGNING_KEY_FILE`, read by the sealer alone."""

    def __init__(self) -> None:
        key = load_pem_private_key(Path(settings.AUDIT_SIGNING_KEY_FILE).read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ImproperlyConfigured("AUDIT_SIGNING_KEY_FILE must hold an Ed25519 key")
        self.key = key

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)

    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def mac(text: bytes) -> bytes:
    """The MAC of an entry's canonical text."""
    return _mac()(text)


def keyed_hash(text: str) -> str:
    """A keyed hash for something typed that may be PHI (a failed sign-in's e-mail): 16 hex digits."""
    return mac(b"typed:" + text.strip().casefold().encode())[:8].hex()


@cache
def _mac() -> Mac:
    made: Mac = import_string(settings.AUDIT_MAC)()
    return made


@cache
def signer() -> Signer:
    """The checkpoint signer named by the settings."""
    made: Signer = import_string(settings.AUDIT_SIGNER)()
    return made
