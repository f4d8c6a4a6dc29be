"""The audit log's archives: sealed files that need no row to be read again.

Form: "TVA" | version | two wrappings of the file's key, each with its length | the sealed stream. The first wrapping is
under the key of the purpose "audit-archives", which follows every rotation of key-encryption keys; the second is under the
key-encryption key of the day itself, so that an archive and the keyring suffice when the database is gone.
"""

import secrets
from collections.abc import Iterable, Iterator
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import DatabaseError

from audit.ledger.archives import ArchiveBroken, ArchiveUnreachable
from audit.ledger.chunks import Readable, exactly
from telehealth.vault import cipher, keyring, record_keys
from telehealth.vault.cipher import Broken
from telehealth.vault.errors import VaultUnavailable
from telehealth.vault.files import stream
from telehealth.vault.files.purposes import AUDIT_ARCHIVES

_MAGIC = b"TVA\x01"


class Cipher:
    """What `settings.AUDIT_ARCHIVE_CIPHER` names."""

    def seal(self, chunks: Iterable[bytes], bound_to: str) -> Iterator[bytes]:
        """The sealed form, in bounded memory."""
        key, bound = secrets.token_bytes(32), bound_to.encode()
        kek_id, wrapped = keyring.wrap(key)
        yield _MAGIC
        for part in (cipher.seal(record_keys.find_or_make(AUDIT_ARCHIVES), key, _bound(bound)), kek_id.encode(), wrapped):
            yield len(part).to_bytes(2, "big") + part
        yield from stream.seal(AESGCM(key), chunks, bound)

    def unseal(self, source: Readable, bound_to: str) -> Iterator[bytes]:
        """The text again; ArchiveBroken, or ArchiveUnreachable where its key cannot be had now."""
        bound = bound_to.encode()
        try:
            if exactly(source, len(_MAGIC)) != _MAGIC:
                raise Broken
            under_purpose, kek_id, wrapped = (_part(source) for _ in range(3))
            key = _of_purpose(under_purpose, bound) or keyring.unwrap(kek_id.decode(errors="replace"), wrapped)
            yield from stream.unseal(AESGCM(key), source, bound)
        except (Broken, ValueError) as error:
            raise ArchiveBroken(f"{bound_to}: changed, cut, or of another key") from error
        except VaultUnavailable as error:
            raise ArchiveUnreachable(f"{bound_to}: its key cannot be had now") from error


def _of_purpose(sealed: bytes, bound: bytes) -> bytes | None:
    """None where the database, or its key for archives, is gone."""
    try:
        return cipher.unseal(record_keys.find(AUDIT_ARCHIVES), sealed, _bound(bound))
    except (Broken, DatabaseError, VaultUnavailable):
        return None


def _part(source: Readable) -> bytes:
    return exactly(source, int.from_bytes(exactly(source, 2), "big"))


def _bound(bound_to: bytes) -> bytes:
    return cipher.aad("audit.archive", "key", UUID(int=0), AUDIT_ARCHIVES) + bound_to
