"""Signalling at rest: AES-256-GCM under the visit's own key, bound to visit and recipient."""

import base64
import os
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from telehealth.vault import cipher


def new_key() -> str:
    """A visit's key, base64, to be kept sealed."""
    return base64.b64encode(os.urandom(32)).decode()


class Seal:
    """Seals and opens one visit's messages."""

    def __init__(self, key: str, visit: UUID) -> None:
        self._key = AESGCM(base64.b64decode(key))
        self._visit = visit

    def close(self, body: bytes, recipient: UUID) -> bytes:
        return cipher.seal(self._key, body, self._bound(recipient))

    def open(self, sealed: bytes, recipient: UUID) -> bytes:
        """The body, or cipher.Broken: changed, or another's."""
        return cipher.unseal(self._key, sealed, self._bound(recipient))

    def _bound(self, recipient: UUID) -> bytes:
        return b"consults.signalling" + self._visit.bytes + recipient.bytes
