"""The ledger's two keys, by small protocols: a MAC for entries, a signature for checkpoints.

Both keys live outside the database. `settings.AUDIT_MAC` and `settings.AUDIT_SIGNER` name the providers;
the local ones read files (0600, wider is refused), those in `telehealth.vault.audit_keys` have them unwrapped elsewhere.
Web and worker need the MAC key only, the sealer both; a verifier needs neither signing key nor database write.
"""

import base64
import os
import stat
from functools import cache
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from audit.tlog.notes import Signer


class Mac(Protocol):
    """Authenticates an entry's canonical text: 32 bytes."""

    def __call__(self, text: bytes) -> bytes: ...


class NotPrivate(ImproperlyConfigured):
    """A key file that others than its owner may read or write."""


class LocalMac:
    """HMAC-SHA-256 under 32 bytes in base64: in the file `settings.AUDIT_MAC_KEY_FILE`, or else `settings.AUDIT_MAC_KEY`."""

    def __init__(self) -> None:
        self.key = base64.b64decode(kept("AUDIT_MAC_KEY"))
        if len(self.key) < 32:
            raise ImproperlyConfigured("AUDIT_MAC_KEY must hold 32 random bytes in base64")
        self._keyed = HMAC(self.key, SHA256())

    def __call__(self, text: bytes) -> bytes:
        made = self._keyed.copy()  # keyed once: half the time of keying it for each entry
        made.update(text)
        return made.finalize()


class LocalSigner:
    """An Ed25519 private key in the PEM file `settings.AUDIT_SIGNING_KEY_FILE`, read by the sealer alone."""

    def __init__(self) -> None:
        self.key = ed25519_key(kept("AUDIT_SIGNING_KEY"))

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)

    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def kept(name: str) -> bytes:
    """What the setting `<name>_FILE` leads to, else the setting itself. NotPrivate where the file is wider than 0600."""
    path = getattr(settings, f"{name}_FILE", "")
    if path:
        return private(Path(path))
    value: str = getattr(settings, name, "")
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE is not given to this process: it needs no such key, or its settings lack it")
    return value.encode()


def private(path: Path) -> bytes:
    """The content of a file that nobody but its owner can read: what was opened is looked at, not what its name means later."""
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        if stat.S_IMODE(found.st_mode) & 0o177 or found.st_uid not in (os.geteuid(), 0):
            raise NotPrivate(f"{path} can be read or written by others; make it 0600")
        return file.read()


def ed25519_key(pem: bytes) -> Ed25519PrivateKey:
    """A checkpoint key, from PEM without a password."""
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ImproperlyConfigured("AUDIT_SIGNING_KEY must be an Ed25519 key")
    return key


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
