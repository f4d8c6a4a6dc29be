"""Model fields that hold sealed values and open them on attribute access, inside an audit unit.

What the database gives back is `Sealed`, which is neither text nor bytes: `values()`, pickles and dumps carry
ciphertext. Reading the attribute decrypts, registers the opening first, and keeps no plaintext on the instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.db import models
from django.db.models.lookups import Exact
from django.db.models.query_utils import DeferredAttribute

from audit.ledger import current
from telehealth.vault import blind, cipher, phases, record_keys
from telehealth.vault.errors import RecordDestroyed, RecordRekeyed

ACCOUNTS = UUID("00000000-0000-4000-8000-000000000001")
"""The one key of all accounts: e-mails and seeds. Reading under it needs a unit but opens no patient's record."""

_raw: ContextVar[bool] = ContextVar("vault_raw", default=False)


@contextmanager
def raw() -> Iterator[None]:
    """Within, attributes give the sealed value: for saving and reloading, which must open nothing."""
    token = _raw.set(True)
    try:
        yield
    finally:
        _raw.reset(token)


class Sealed:
    """A sealed value. Deliberately no str and no bytes, so that nothing renders it by accident."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def __repr__(self) -> str:
        return "<sealed>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)


class SealedAttribute(DeferredAttribute):
    """Has `__set__`, so that Python asks `__get__` even when the instance's dict holds the value."""

    field: SealedField

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        value = instance.__dict__.get(self.field.attname, self)
        if value is self:
            value = super().__get__(instance, cls)
        if type(value) is not Sealed or _raw.get():
            return value
        return self.field.open(instance, value)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedField(models.Field):  # type: ignore[type-arg]
    """The base: bytes in the database. `key=ACCOUNTS` seals under the accounts key instead of the row's record."""

    descriptor_class = SealedAttribute
    empty_strings_allowed = False

    def __init__(self, *args: Any, key: UUID | None = None, **kwargs: Any) -> None:
        self.key = key
        super().__init__(*args, **{"editable": False, **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        if self.key is not None:
            kwargs["key"] = self.key
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "BinaryField"

    def encode(self, value: Any) -> bytes:
        raise NotImplementedError

    def decode(self, plaintext: bytes) -> Any:
        raise NotImplementedError

    # Opening

    def open(self, instance: Any, sealed: Sealed) -> Any:
        """Decrypt for the current unit, which is told before the plaintext exists."""
        unit = current()
        if self.key is None:
            unit.open(instance.record_id, self.model._meta.label, instance.pk, self.attname)
        return self.decode(self.plaintext(instance, sealed))

    def plaintext(self, instance: Any, sealed: Sealed) -> bytes:
        """What is sealed. A value read before its record was re-keyed is read again when its key is gone."""
        record_id = self.record_of(instance)
        if sealed.raw == cipher.TOMBSTONE:
            raise RecordDestroyed(kind=self.model._meta.label) if self.key else record_keys.absent(record_id)
        try:
            key = record_keys.find(record_id, instance if self.key is None else None, cipher.key_version(sealed.raw))
        except cipher.Broken:
            newer = self._stored_now(instance)
            if newer is None or newer == sealed:
                raise
            instance.__dict__[self.attname] = newer
            return self.plaintext(instance, newer)
        return cipher.unseal(key, sealed.raw, self.bound_to(instance))

    def _stored_now(self, instance: Any) -> Sealed | None:
        rows = self.model._base_manager.using(instance._state.db).filter(pk=instance.pk)  # noqa: SLF001  # Django's own names
        found: Sealed | None = rows.values_list(self.attname, flat=True).first()
        return found

    def record_of(self, instance: Any) -> UUID:
        return self.key or instance.record_id

    def bound_to(self, instance: Any) -> bytes:
        return cipher.aad(self.model._meta.label_lower, self.attname, instance.pk, self.record_of(instance))

    # Sealing

    def holds_plaintext(self, instance: Any) -> bool:
        value = instance.__dict__.get(self.attname)
        return value is not None and type(value) is not Sealed

    def pre_save(self, model_instance: Any, add: bool) -> Sealed | None:
        value = model_instance.__dict__.get(self.attname)
        if hasattr(value, "resolve_expression"):
            raise TypeError(f"{self.name} is sealed: expressions cannot be stored in it")
        if type(value) is Sealed:
            self._refuse_moved(model_instance)
            self._index_anew(model_instance, value)
            return self._up_to_date(model_instance, value)
        for index in self._indexes():
            model_instance.__dict__[index.attname] = index.to_write(value)
        if value is None:
            return None
        return self._seal(model_instance, value)

    def _seal(self, instance: Any, value: Any) -> Sealed:
        key = record_keys.find_or_make(self.record_of(instance))
        sealed = Sealed(cipher.seal(key, self.encode(value), self.bound_to(instance)))
        instance.__dict__[self.attname] = sealed
        return sealed

    def _indexes(self) -> list[BlindIndexField]:
        return [index for index in index_fields_of(self.model) if index.source == self.name]

    def _index_anew(self, instance: Any, value: Sealed) -> None:
        """Once the index root has changed: whoever saves what they read before must not bring its old index back."""
        indexes = self._indexes()
        if indexes and phases.held() != phases.Phase() and value.raw != cipher.TOMBSTONE:
            opened = self.decode(self.plaintext(instance, value))
            for index in indexes:
                instance.__dict__[index.attname] = index.to_write(opened)

    def _up_to_date(self, instance: Any, value: Sealed) -> Sealed:
        """The same, under the record's current key: whoever saves what they read before a re-key must not bring the old
        ciphertext back."""
        current = record_keys.find_or_make(self.record_of(instance))
        if cipher.key_version(value.raw) == current.version:
            return value
        try:
            old = record_keys.find(self.record_of(instance), None, cipher.key_version(value.raw))
        except cipher.Broken:
            raise RecordRekeyed from None
        plaintext = cipher.unseal(old, value.raw, self.bound_to(instance))
        sealed = Sealed(cipher.seal(current, plaintext, self.bound_to(instance)))
        instance.__dict__[self.attname] = sealed
        return sealed

    def _refuse_moved(self, instance: Any) -> None:
        home = instance.__dict__.get("_vault_home")
        if home and home != (instance.pk, instance.__dict__.get(instance.record_field)):
            raise TypeError(f"{self.name} is sealed for another row or record: assign its value again")

    # Everything else that Django may ask of a field

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None:
            return None
        if type(value) is not Sealed:
            raise TypeError(f"{self.name} is sealed: only save() writes it")
        return connection.Database.Binary(value.raw)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def get_prep_value(self, value: Any) -> Any:
        if value is None or type(value) is Sealed:
            return value
        raise TypeError(f"{self.name} is sealed: it cannot be compared in the database")

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def value_to_string(self, obj: Any) -> str:
        raise TypeError(f"{self.name} is sealed: it is not serialised")

    def get_default(self) -> Any:
        return super().get_default() if self.has_default() else None


class SealedTextField(SealedField):
    """Text, sealed."""

    def encode(self, value: Any) -> bytes:
        return str(value).encode()

    def decode(self, plaintext: bytes) -> str:
        return plaintext.decode()


class SealedJSONField(SealedField):
    """A small JSON value, sealed. Reading gives a new value each time: assign it again to change it."""

    def encode(self, value: Any) -> bytes:
        return orjson.dumps(value)

    def decode(self, plaintext: bytes) -> Any:
        return orjson.loads(plaintext)


class BlindIndexField(models.BinaryField):  # type: ignore[type-arg]
    """HMAC-SHA-256 of the normalised source field, under a key of its own: equality without plaintext.

    Declared after its source, which fills it when it is sealed. 32 bytes, untruncated, so it may be unique. Each has another
    beside it (`beside="its name"`), which is used while the index root changes: see `telehealth.vault.phases`.
    """

    def __init__(self, source: str, *args: Any, normalise: str, beside: str = "", **kwargs: Any) -> None:
        self.source = source
        self.normalise = normalise
        self.beside = beside
        super().__init__(*args, **{"null": True, "editable": False, "db_index": not kwargs.get("unique"), **kwargs})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        if self.beside:
            kwargs["beside"] = self.beside
        return name, path, [self.source, *args], {**kwargs, "normalise": self.normalise, "db_index": not self.unique}

    def digest(self, value: Any, version: int | None = None) -> bytes | None:
        """The index of a value under a version of the root (the current one, unless said otherwise), None for None."""
        if value is None:
            return None
        version = phases.known().current if version is None else version
        return blind.digest(f"{self.model._meta.label}.{self.source}", value, self.normalise, version)

    def to_write(self, value: Any) -> bytes | None:
        """What belongs into this column now; holds the phase of the index root until the transaction ends."""
        if value is None:
            return None
        phase = phases.held()
        version = phase.beside if self.beside else phase.written
        return None if version is None else self.digest(value, version)


@BlindIndexField.register_lookup
class EitherVersion(Exact):
    """Equality with an index under any version that is looked up now."""

    lookup_name = "exact"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        either = getattr(self.rhs, "either", ())
        if len(either) < 2:
            return super().as_sql(compiler, connection)
        column, parameters = self.process_lhs(compiler, connection)
        values = [connection.Database.Binary(bytes(each)) for each in either]
        return f"{column} IN ({', '.join(['%s'] * len(values))})", [*parameters, *values]


@cache
def sealed_fields_of(model: type[models.Model]) -> tuple[SealedField, ...]:
    """The model's sealed fields."""
    return tuple(field for field in model._meta.concrete_fields if isinstance(field, SealedField))


@cache
def index_fields_of(model: type[models.Model]) -> tuple[BlindIndexField, ...]:
    """The model's blind indexes."""
    return tuple(field for field in model._meta.concrete_fields if isinstance(field, BlindIndexField))
