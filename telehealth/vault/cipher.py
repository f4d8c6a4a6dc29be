"""Sealing values: AES-256-GCM with a random 96-bit nonce under a record's key (SP 800-38D).

Sealed form: version (1 byte) | key version (2 bytes) | nonce (12) | ciphertext and tag. The AAD binds model,
field, row and record, length-prefixed, so that a ciphertext is good for its own place only. Random nonces allow
2^32 messages a key; a patient record stays far below.
"""

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
_HEAD = 1 + 2
_NONCE = 12


class Broken(Exception):
    """A sealed value does not open: changed, moved, or under another key. Says nothing else, whatever the cause."""


def aad(model: str, field: str, pk: UUID, record_id: UUID) -> bytes:
    """What a sealed value is bound to."""
    parts = (model.encode(), field.encode(), pk.bytes, record_id.bytes)
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def seal(key: AESGCM, plaintext: bytes, bound_to: bytes, key_version: int = 1) -> bytes:
    """The sealed form of the plaintext."""
    head, nonce = VERSION + key_version.to_bytes(2, "big"), os.urandom(_NONCE)
    return head + nonce + key.encrypt(nonce, plaintext, head + bound_to)


def unseal(key: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    """The plaintext, or Broken."""
    head, nonce = sealed[:_HEAD], sealed[_HEAD : _HEAD + _NONCE]
    if head[:1] != VERSION or len(nonce) != _NONCE:
        raise Broken
    try:
        return key.decrypt(nonce, sealed[_HEAD + _NONCE :], head + bound_to)
    except InvalidTag:
        raise Broken from None
