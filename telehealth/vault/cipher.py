"""Sealing values: AES-256-GCM with a random 96-bit nonce under a record's key (SP 800-38D).

Sealed form: version (1 byte) | key version (2 bytes) | nonce (12) | ciphertext and tag. The AAD binds model,
field, row and record, length-prefixed, so that a ciphertext is good for its own place only. Random nonces allow
2^32 messages a key; a patient record stays far below.
"""

import os
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag

VERSION = b"\x01"
TOMBSTONE = b"\x00"
"""What stands in a sealed column whose record was destroyed: no ciphertext at all."""
_HEAD = 1 + 2
_NONCE = 12


class Broken(Exception):
    """A sealed value does not open: changed, moved, or under another key. Says nothing else, whatever the cause."""


class Aead(Protocol):
    """AES-GCM as `cryptography` has it."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


def aad(model: str, field: str, pk: UUID, record_id: UUID) -> bytes:
    """What a sealed value is bound to."""
    parts = (model.encode(), field.encode(), pk.bytes, record_id.bytes)
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def seal(key: Aead, plaintext: bytes, bound_to: bytes, key_version: int | None = None) -> bytes:
    """The sealed form of the plaintext. The key's own version goes into the head, unless another is given."""
    version = getattr(key, "version", 1) if key_version is None else key_version
    head, nonce = VERSION + version.to_bytes(2, "big"), os.urandom(_NONCE)
    return head + nonce + key.encrypt(nonce, plaintext, head + bound_to)


def unseal(key: Aead, sealed: bytes, bound_to: bytes) -> bytes:
    """The plaintext, or Broken."""
    head, nonce = sealed[:_HEAD], sealed[_HEAD : _HEAD + _NONCE]
    if head[:1] != VERSION or len(nonce) != _NONCE:
        raise Broken
    try:
        return key.decrypt(nonce, sealed[_HEAD + _NONCE :], head + bound_to)
    except InvalidTag:
        raise Broken from None


def key_version(sealed: bytes) -> int:
    """Of which version of the record's key this is."""
    return int.from_bytes(sealed[1:_HEAD], "big")
