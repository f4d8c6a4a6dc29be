"""The data keys of records: found once, unwrapped on first use, kept in process memory for at most five minutes."""

import secrets
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.db import connection, transaction

from telehealth.vault import keyring
from telehealth.vault.cipher import Broken
from telehealth.vault.kept import Kept

cache: Kept[UUID, AESGCM] = Kept(at_most=10_000)


class _Fresh:
    """A key made in a transaction that is still open. It is good only while Django still means to commit it:
    the hook disappears from `run_on_commit` when its transaction or savepoint rolls back."""

    __slots__ = ("key", "record_id")

    def __init__(self, record_id: UUID, key: AESGCM) -> None:
        self.record_id = record_id
        self.key = key

    def __call__(self) -> None:
        cache.put(self.record_id, self.key)


def find(record_id: UUID, instance: Any = None) -> AESGCM:
    """The record's key, or Broken when it has none (destroyed, or never made)."""
    key = cache.get(record_id) or _fresh(record_id)
    if key is None:
        wrapped = _wrapped(record_id, instance)
        if wrapped is None:
            raise Broken
        key = _kept(record_id, wrapped)
    return key


def find_or_make(record_id: UUID) -> AESGCM:
    """The record's key, made on first need in the caller's transaction."""
    key = cache.get(record_id) or _fresh(record_id)
    if key is not None:
        return key
    wrapped = _stored(record_id)
    return _kept(record_id, wrapped) if wrapped else _make(record_id)


def _kept(record_id: UUID, wrapped: tuple[str, bytes]) -> AESGCM:
    # A row that is not `_Fresh` was committed before: what this transaction makes is found there first.
    key = AESGCM(keyring.unwrap(*wrapped))
    cache.put(record_id, key)
    return key


def _make(record_id: UUID) -> AESGCM:
    data_key = secrets.token_bytes(32)
    kek_id, wrapped = keyring.wrap(data_key)
    model = apps.get_model("vault", "RecordKey")
    model.objects.bulk_create([model(record_id=record_id, kek_id=kek_id, wrapped=wrapped)], ignore_conflicts=True)
    stored = _stored(record_id)  # another transaction may have been first
    if stored is None:
        raise Broken
    key = AESGCM(keyring.unwrap(*stored))
    transaction.on_commit(_Fresh(record_id, key))
    return key


def _fresh(record_id: UUID) -> AESGCM | None:
    for _, hook, *_ in connection.run_on_commit:
        if isinstance(hook, _Fresh) and hook.record_id == record_id:
            return hook.key
    return None


def _wrapped(record_id: UUID, instance: Any) -> tuple[str, bytes] | None:
    joined = getattr(instance, "_vault_wrapped", None)
    if joined is not None:
        return instance._vault_kek, bytes(joined)
    page = instance.__dict__.get("_vault_page") if instance is not None else None
    if page is not None:
        row = page.key_row(record_id)
        return (row.kek_id, bytes(row.wrapped)) if row else None
    return _stored(record_id)


def _stored(record_id: UUID) -> tuple[str, bytes] | None:
    row = apps.get_model("vault", "RecordKey").objects.filter(record_id=record_id).first()
    return (row.kek_id, bytes(row.wrapped)) if row else None
