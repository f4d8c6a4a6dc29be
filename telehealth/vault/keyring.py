"""Key-encryption keys. A provider hands them out; they wrap record keys (AES-KW, RFC 3394) and nothing else.

`settings.VAULT_PROVIDER` names the provider. The local one reads JSON: {"kek": {id: base64 of 32 bytes},
"active": id, "index": base64 of 32 bytes}. Keys never go to the database, a log or a cache outside the process.
"""

import base64
import hashlib
import json
import secrets
from functools import cache
from typing import Any, Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


class Provider(Protocol):
    """Where key-encryption keys come from: a file, later a KMS or Vault's transit engine."""

    active: str

    def kek(self, kek_id: str) -> bytes: ...
    def index_secret(self) -> bytes: ...


class LocalKeyring:
    """Keys from `settings.VAULT_KEYRING`, which the operator keeps in a file readable by the service alone (0600)."""

    def __init__(self) -> None:
        try:
            content: dict[str, Any] = json.loads(settings.VAULT_KEYRING)
            self.active: str = content["active"]
            self._keks = {name: base64.b64decode(key) for name, key in content["kek"].items()}
            self._index = base64.b64decode(content["index"])
        except (ValueError, KeyError, TypeError) as error:
            raise ImproperlyConfigured("VAULT_KEYRING is not a keyring (see docs/security.md)") from error
        if any(len(key) != 32 for key in [*self._keks.values(), self._index]) or self.active not in self._keks:
            raise ImproperlyConfigured("VAULT_KEYRING needs 32-byte keys and an active one")

    def kek(self, kek_id: str) -> bytes:
        return self._keks[kek_id]

    def index_secret(self) -> bytes:
        return self._index


def new_keyring() -> str:
    """A fresh local keyring, as the JSON text to keep."""
    kek, index = (base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    name = hashlib.sha256(kek.encode()).hexdigest()[:12]
    return json.dumps({"kek": {name: kek}, "active": name, "index": index})


@cache
def provider() -> Provider:
    """The provider named by the settings."""
    made: Provider = import_string(settings.VAULT_PROVIDER)()
    return made


def wrap(key: bytes) -> tuple[str, bytes]:
    """(id of the active key-encryption key, the key wrapped under it)."""
    kek_id = provider().active
    return kek_id, aes_key_wrap(provider().kek(kek_id), key)


def unwrap(kek_id: str, wrapped: bytes) -> bytes:
    """The key again; raises InvalidUnwrap when a byte differs."""
    return aes_key_unwrap(provider().kek(kek_id), wrapped)


@cache
def derived(info: str) -> bytes:
    """A 32-byte key of its own for one purpose (HKDF-SHA-256, RFC 5869); no key serves two."""
    return HKDF(SHA256(), 32, salt=None, info=info.encode()).derive(provider().index_secret())
