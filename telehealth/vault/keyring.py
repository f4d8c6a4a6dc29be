"""Key-encryption keys and index roots: unwrapped on need, kept in process memory for five minutes, never anywhere else.

The keys are in the keyring's document (`telehealth.vault.document`), wrapped by the provider that `settings.VAULT_PROVIDER`
names. Key-encryption keys wrap record keys (AES-KW, RFC 3394) and nothing else.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable
from typing import NoReturn

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from audit.ledger.units import current_or_none
from telehealth.vault import document, keyfile, providers
from telehealth.vault.cipher import Broken
from telehealth.vault.document import Document
from telehealth.vault.errors import VaultUnavailable
from telehealth.vault.kept import Kept

REST_SECONDS = 2.0
"""After a failure nobody asks the provider for so long: a request that would only wait is told at once."""
KEY_BYTES = 32
log = structlog.get_logger(__name__)

_documents: Kept[keyfile.Mark, Document] = Kept(at_most=1)
_secrets: Kept[tuple[str, bytes], bytes] = Kept(at_most=64)
_derived: Kept[tuple[int, str], bytes] = Kept(at_most=256)


class _Line:
    """The way to the provider: one call at a time, none while it rests."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.resting_until = 0.0

    def call(self, ask: Callable[[], bytes]) -> bytes:
        if time.monotonic() < self.resting_until:
            raise VaultUnavailable(why="resting")
        try:
            return ask()
        except VaultUnavailable:
            self.resting_until = time.monotonic() + REST_SECONDS
            raise


_line = _Line()


def forget() -> None:
    """Everything unwrapped, the provider and its rest: as in a process that has just begun."""
    for kept in (_documents, _secrets, _derived):
        kept.clear()
    providers.provider.cache_clear()
    _line.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=forget)


def current() -> Document:
    """The document, read again when its file has changed; while the file is out of reach, what was read last, for its time."""
    try:
        mark = keyfile.mark(document.path())
    except OSError:
        found = _documents.get(_last[0]) if _last else None
        return found or _down(VaultUnavailable(why="keyring_unreadable"))
    found = _documents.get(mark)
    if found is None:
        try:
            found = document.read()
        except VaultUnavailable as error:
            _down(error)
        _last[:] = [mark]
        _documents.put(mark, found)
    return found


_last: list[keyfile.Mark] = []


def unwrap_secret(blob: bytes, name: str = "") -> bytes:
    """A secret that the provider wrapped, from memory or from the provider; else VaultUnavailable.

    The ledger's keys come through here too, so that they are bounded, kept and refused alike.
    """
    kept = _secrets.get((name, blob))
    if kept is not None:
        return kept
    with _line.lock:
        kept = _secrets.get((name, blob))  # somebody else may have asked while we waited
        if kept is None:
            try:
                kept = _line.call(lambda: providers.provider().unwrap_secret(blob, name))
            except VaultUnavailable as error:
                _down(error)
            _secrets.put((name, blob), kept)
    return kept


def wrap_secret(secret: bytes, name: str = "") -> bytes:
    """The blob to keep, for `unwrap_secret` under the same name."""
    try:
        return providers.provider().wrap_secret(secret, name)
    except VaultUnavailable as error:
        _down(error)


def _down(error: VaultUnavailable) -> NoReturn:
    """Say so: to the log by its code, and to the unit, so that nothing leaves whatever the code made of the exception."""
    if error.facts.get("why") != "resting":
        log.error("vault unavailable", why=str(error.facts.get("why", "unknown")).replace(" ", "."))
    if (unit := current_or_none()) is not None:
        unit.lacking = error.code
    raise error


# Key-encryption keys


def kek(kek_id: str) -> bytes:
    """One key-encryption key; VaultUnavailable when the keyring has none of this name."""
    blob = current().keks.get(kek_id)
    if blob is None:
        _down(VaultUnavailable(why="kek_missing"))
    return _of_size(unwrap_secret(blob, f"kek:{kek_id}"))


def wrap(key: bytes) -> tuple[str, bytes]:
    """(id of the active key-encryption key, the key wrapped under it)."""
    kek_id = current().active
    return kek_id, aes_key_wrap(kek(kek_id), key)


def unwrap(kek_id: str, wrapped: bytes) -> bytes:
    """The key again; Broken when a byte differs."""
    try:
        return aes_key_unwrap(kek(kek_id), wrapped)
    except InvalidUnwrap:
        raise Broken from None


def reachable() -> bool:
    """Whether record keys can be made and opened just now, for who only wants to know: the unit lacks nothing."""
    unit = current_or_none()
    lacking = unit.lacking if unit else ""
    try:
        wrap(bytes(KEY_BYTES))
    except VaultUnavailable:
        if unit:
            unit.lacking = lacking
        return False
    return True


def rewrap(kek_id: str, wrapped: bytes, *, under: str) -> bytes:
    """The same key under another key-encryption key."""
    return aes_key_wrap(kek(under), unwrap(kek_id, wrapped))


def new_key(name: str) -> bytes:
    """A fresh random key, wrapped under that name, for the document."""
    return wrap_secret(secrets.token_bytes(KEY_BYTES), name)


# Keys of blind indexes


def index_versions() -> list[int]:
    """The versions of the index root that there are, oldest first."""
    return sorted(current().indexes)


def derived(info: str, version: int = 1) -> bytes:
    """A 32-byte key of its own for one purpose (HKDF-SHA-256, RFC 5869) from one version of the index root; no key serves two."""
    kept = _derived.get((version, info))
    if kept is None:
        root = index_secret(version)
        kept = HKDF(SHA256(), KEY_BYTES, salt=None, info=info.encode()).derive(root)
        _derived.put((version, info), kept)
    return kept


def index_secret(version: int = 1) -> bytes:
    """One version of the index root."""
    blob = current().indexes.get(version)
    if blob is None:
        _down(VaultUnavailable(why="index_missing"))
    return _of_size(unwrap_secret(blob, f"index:{version}"))


def _of_size(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        _down(VaultUnavailable(why="keyring_malformed"))
    return key
