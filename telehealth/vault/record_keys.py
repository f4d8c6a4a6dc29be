"""The data keys of records: found once, unwrapped on first use, kept in process memory for at most five minutes.

A sealed value names the version of its record's key, so a process that has an older version in memory notices a newer
one by the first value that it meets. Whoever seals asks the database which version is current, once per transaction,
and holds that answer (`FOR KEY SHARE`) until the commit: a re-key waits for those who seal under the old version.
"""

import secrets
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.db import connection, transaction

from telehealth.vault import keyring
from telehealth.vault.cipher import Broken
from telehealth.vault.errors import RecordDestroyed
from telehealth.vault.kept import Kept


class DataKey:
    """One version of one record's key."""

    __slots__ = ("_aead", "version")

    def __init__(self, version: int, key: bytes) -> None:
        self.version = version
        self._aead = AESGCM(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        return self._aead.encrypt(nonce, data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        return self._aead.decrypt(nonce, data, associated_data)


class Wrapped:
    """A version of a key as it is stored."""

    __slots__ = ("kek_id", "version", "wrapped")

    def __init__(self, version: int, kek_id: str, wrapped: bytes) -> None:
        self.version = version
        self.kek_id = kek_id
        self.wrapped = wrapped

    def open(self) -> DataKey:
        return DataKey(self.version, keyring.unwrap(self.kek_id, self.wrapped))


cache: Kept[tuple[UUID, int], DataKey] = Kept(at_most=10_000)


class _Held:
    """The current key, as found (and held) or made in a transaction that is still open. It is good only while Django
    still means to commit it: the hook disappears from `run_on_commit` when its transaction or savepoint rolls back,
    and the database lets go of the lock at the same moment."""

    __slots__ = ("key", "record_id")

    def __init__(self, record_id: UUID, key: DataKey) -> None:
        self.record_id = record_id
        self.key = key

    def __call__(self) -> None:
        cache.put((self.record_id, self.key.version), self.key)


def find(record_id: UUID, instance: Any = None, version: int | None = None) -> DataKey:
    """This version of the record's key (the current one, unless said otherwise). RecordDestroyed when that is why there
    is none, else Broken."""
    held = _held(record_id)
    if held is not None and version in (None, held.version):
        return held
    key = None if version is None else cache.get((record_id, version))
    if key is None:
        wrapped = _wrapped(record_id, instance, version)
        if wrapped is None:
            raise absent(record_id)
        key = wrapped.open()
        # What is not `_Held` was committed before: what this transaction makes is found there first.
        cache.put((record_id, key.version), key)
    return key


def find_or_make(record_id: UUID) -> DataKey:
    """The key to seal under, current until the caller's transaction ends; made on first need. RecordDestroyed when there
    must never be one again."""
    return _held(record_id) or _current(record_id) or _make(record_id)


def absent(record_id: UUID) -> Exception:
    """What a missing key means."""
    gone = apps.get_model("vault", "DestroyedKey").objects.filter(record_id=record_id).exists()
    return RecordDestroyed(kind="vault.RecordKey", record=record_id) if gone else Broken()


def _current(record_id: UUID) -> DataKey | None:
    """The current version, held until the transaction ends."""
    with connection.cursor() as cursor:
        lock = " FOR KEY SHARE" if connection.in_atomic_block else ""
        cursor.execute(f"SELECT version, kek_id, wrapped FROM vault_recordkey WHERE record_id = %s{lock}", [record_id])  # noqa: S608  # our own words
        row = cursor.fetchone()
    if row is None:
        return None
    key = cache.get((record_id, row[0]))
    if key is None:
        key = Wrapped(row[0], row[1], bytes(row[2])).open()
        cache.put((record_id, key.version), key)
    transaction.on_commit(_Held(record_id, key))
    return key


def _make(record_id: UUID) -> DataKey:
    kek_id, wrapped = keyring.wrap(secrets.token_bytes(32))
    model = apps.get_model("vault", "RecordKey")
    model.objects.bulk_create([model(record_id=record_id, kek_id=kek_id, wrapped=wrapped)], ignore_conflicts=True)
    stored = _stored(record_id)  # another transaction may have been first
    # Asked after the insert: one that waited for the destruction of the key sees it now, and is rolled back.
    if stored is None or apps.get_model("vault", "DestroyedKey").objects.filter(record_id=record_id).exists():
        raise absent(record_id)
    key = stored.open()
    transaction.on_commit(_Held(record_id, key))
    return key


def _held(record_id: UUID) -> DataKey | None:
    for _, hook, *_ in connection.run_on_commit:
        if isinstance(hook, _Held) and hook.record_id == record_id:
            return hook.key
    return None


def _wrapped(record_id: UUID, instance: Any, version: int | None) -> Wrapped | None:
    near = _beside(record_id, instance)
    return near if near and version in (None, near.version) else _stored(record_id, version)


def _beside(record_id: UUID, instance: Any) -> Wrapped | None:
    """The key that came with the row, or with its page."""
    joined = getattr(instance, "_vault_key", None)
    if joined is not None:
        version, wrapped, kek_id = joined.split(":", 2)
        return Wrapped(int(version), kek_id, bytes.fromhex(wrapped))
    page = instance.__dict__.get("_vault_page") if instance is not None else None
    row = page.key_row(record_id) if page is not None else None
    return Wrapped(row.version, row.kek_id, bytes(row.wrapped)) if row else None


def _stored(record_id: UUID, version: int | None = None) -> Wrapped | None:
    for name in ("RecordKey", "RetiredKey"):
        rows = apps.get_model("vault", name).objects.filter(record_id=record_id)
        row = (rows if version is None else rows.filter(version=version)).first()
        if row:
            return Wrapped(row.version, row.kek_id, bytes(row.wrapped))
        if version is None:
            break
    return None
