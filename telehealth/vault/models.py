"""Record keys, signers' keys, and the abstract base of every model that holds sealed fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import nullcontext
from functools import cache
from typing import Any, ClassVar, NoReturn, Self, TypeVar
from uuid import UUID

from django.db import connections, models, router, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL

from audit.ledger import uuid7
from telehealth.vault import phases
from telehealth.vault.cipher import TOMBSTONE
from telehealth.vault.fields import ACCOUNTS, Sealed, SealedField, SealedTextField, index_fields_of, raw, sealed_fields_of

M = TypeVar("M", bound=models.Model)


class RecordKey(models.Model):
    """The data key of one patient record (or of all accounts), wrapped. No foreign key: it precedes its record."""

    record_id = models.UUIDField(primary_key=True)
    version = models.PositiveSmallIntegerField(default=1)
    kek_id = models.CharField(max_length=64)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.record_id)


class RetiredKey(models.Model):
    """A record's former data key, while a re-key has not yet sealed everything anew. `rotate_kek` re-wraps it too."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    record_id = models.UUIDField()
    version = models.PositiveSmallIntegerField()
    kek_id = models.CharField(max_length=64)
    wrapped = models.BinaryField()
    retired_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record_id", "version"], name="retired_key_once_per_version")]

    def __str__(self) -> str:
        return str(self.record_id)


class DestroyedKey(models.Model):
    """That a record's key was destroyed on purpose: it never gets another. No foreign key, for the same reason as above."""

    record_id = models.UUIDField(primary_key=True)
    destroyed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.record_id)


class Phase(models.TextChoices):
    """How far a change of the index key is; see `telehealth.vault.reindexing`."""

    STEADY = "steady"
    FILLING = "filling"
    MOVING = "moving"
    CLEARING = "clearing"


class IndexPhase(models.Model):
    """The one row that says under which versions indexes are written and looked up. Without it: version 1, steady."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    current = models.PositiveSmallIntegerField(default=1)
    coming = models.PositiveSmallIntegerField(null=True)
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.STEADY)
    since = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="index_phase_is_one_row", condition=Q(id=1)),
            models.CheckConstraint(
                name="index_phase_knows_where_it_goes",
                condition=Q(phase="steady", coming=None) | Q(phase__in=["filling", "moving", "clearing"], coming__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.phase


class Page:
    """The rows of one result, so that the first that needs its key fetches the wrapped keys of all in one query."""

    __slots__ = ("rows", "wrapped")

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        self.wrapped: dict[UUID, RecordKey] | None = None

    def key_row(self, record_id: UUID) -> RecordKey | None:
        if self.wrapped is None:
            ids = {row.record_id for row in self.rows}
            self.wrapped = {key.record_id: key for key in RecordKey.objects.filter(record_id__in=ids)}
        return self.wrapped.get(record_id)


@cache
def _key_sql(model: type[models.Model]) -> str:
    """The row's key in one column: version, KEK and the wrapped key in hex."""
    column = model._meta.get_field(model.record_field).column  # type: ignore[attr-defined, union-attr]
    packed = "k.version::text || ':' || encode(k.wrapped, 'hex') || ':' || k.kek_id"
    return f'SELECT {packed} FROM vault_recordkey k WHERE k.record_id = "{model._meta.db_table}"."{column}"'  # noqa: S608


class SealedQuerySet(models.QuerySet[M]):
    """Refuses the ways in which Django would move ciphertext or write plaintext past the fields."""

    def _fetch_all(self) -> None:
        fresh = self._result_cache is None
        super()._fetch_all()
        rows = self._result_cache or []
        if fresh and len(rows) > 1 and isinstance(rows[0], SealedModel):
            page = Page(rows)
            for row in rows:
                row.__dict__["_vault_page"] = page

    def with_keys(self) -> Self:
        """Join each row's wrapped key: a single read needs no statement of its own for it."""
        return self.annotate(_vault_key=RawSQL(_key_sql(self.model), []))  # noqa: S611  # our own names; a third of the ORM's cost

    def update(self, **values: Any) -> int:
        refuse_sealed(self.model, values)
        return super().update(**values)

    def bulk_update(self, objs: Iterable[M], fields: Iterable[str], batch_size: int | None = None) -> int:
        fields = list(fields)
        refuse_sealed(self.model, fields)
        return super().bulk_update(objs, fields, batch_size)


def refuse_sealed(model: type[models.Model], names: Collection[str]) -> None:
    """TypeError when one of the names is a sealed field of the model, or a blind index."""
    guarded = {f.name for f in sealed_fields_of(model)} | {f.name for f in index_fields_of(model)}
    if found := guarded & set(names):
        raise TypeError(f"sealed fields are written by save() alone: {sorted(found)}")


class SealedModel(models.Model):
    """A row with sealed fields. `record_field` names the attribute with the UUID of the patient record it belongs to."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    record_field: ClassVar[str] = "patient_id"
    shred_columns: ClassVar[Mapping[str, Any]] = {}
    """Clear columns that tell something of what was sealed, and what stands in them once the record is destroyed."""

    search_tokens: ClassVar[Mapping[str, tuple[tuple[str, ...], Callable[..., list[int]]]]] = {}
    """Column of search tokens → the sealed fields they are made of, and how: (version of the index root, *values) → tokens."""

    objects = SealedQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)

    def __reduce__(self) -> Any:
        """Pickling carries ciphertext only: plaintext that was assigned and not saved is refused."""
        if any(field.holds_plaintext(self) for field in sealed_fields_of(type(self))):
            raise TypeError("unsaved plaintext is not pickled")
        return super().__reduce__()

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        raise TypeError("sealed rows are not copied")

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Seal what was assigned. A row whose id or record changed since it was read is refused by its fields."""
        if update_fields is not None:
            names = set(update_fields)
            update_fields = names | {f.name for f in index_fields_of(type(self)) if f.source in names} | self._token_columns(names)
        using = kwargs.get("using") or router.db_for_write(type(self), instance=self)
        # The key's version is held by the transaction that seals under it; inside one there is nothing to add.
        with nullcontext() if connections[using].in_atomic_block else transaction.atomic(using=using), raw():
            self._make_tokens(update_fields)
            super().save(*args, update_fields=update_fields, **kwargs)
        self.__dict__["_vault_home"] = (self.pk, self.__dict__.get(self.record_field))

    def _token_columns(self, names: Collection[str]) -> set[str]:
        return {
            each
            for column, (sources, _) in self.search_tokens.items()
            if {column, *sources} & set(names)
            for each in (column, f"{column}_next")
        }

    def _make_tokens(self, saved: Iterable[str] | None) -> None:
        """Once the index root has changed, search tokens are made here of what is sealed: as they are written now."""
        wanted = [column for column in self.search_tokens if saved is None or column in set(saved)]
        if not wanted or (phase := phases.held()) == phases.Phase():
            return
        for column in wanted:
            sources, make = self.search_tokens[column]
            if {column, *sources} & self.get_deferred_fields():
                continue  # Django saves what was loaded: nothing of this has changed
            values = [value_of(self, source) or "" for source in sources]
            self.__dict__[column] = make(phase.written, *values)
            self.__dict__[f"{column}_next"] = None if phase.beside is None else make(phase.beside, *values)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        with raw():
            super().refresh_from_db(*args, **kwargs)

    @property
    def record_id(self) -> UUID:
        """The patient record whose key seals this row, and whose openings the ledger lists."""
        found: UUID = getattr(self, self.record_field)
        return found

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any) -> Self:
        made = super().from_db(db, field_names, values, **options)
        made.__dict__["_vault_home"] = (made.__dict__.get("id"), made.__dict__.get(cls.record_field))
        return made


class IntegrationSecret(SealedModel):
    """A secret shared with somebody outside (a network, a webhook's receiver), sealed under the accounts key."""

    name = models.CharField(max_length=60, unique=True)
    value = SealedTextField(key=ACCOUNTS)
    changed_at = models.DateTimeField(auto_now=True)

    @property
    def record_id(self) -> None:  # type: ignore[override]  # of no record
        return None


def value_of(row: SealedModel, name: str) -> Any:
    """What a sealed field holds, inside the vault: for an index of it, never for anybody to see."""
    field: Any = row._meta.get_field(name)
    value = row.__dict__.get(field.attname)
    if isinstance(value, Sealed):
        return None if value.raw == TOMBSTONE else field.decode(field.plaintext(row, value))
    return value


class SignerKey(SealedModel):
    """An account's Ed25519 key for notes and prescriptions; the private half is sealed under the accounts key."""

    record_field = "account_id"

    account_id = models.UUIDField(unique=True)
    public = models.BinaryField()
    private = SealedTextField(key=ACCOUNTS)
    created_at = models.DateTimeField(auto_now_add=True)


class SealedFile(SealedModel):
    """A file in the storage of sealed files (`telehealth.vault.files`). Written once; its key is sealed under its owner's."""

    record_field = "owner_id"

    owner_id = models.UUIDField(db_index=True)  # a patient's record, or a purpose
    kind = models.CharField(max_length=32)  # a code: what it is to the app that keeps it
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField(default=0)  # bytes of plaintext
    title = SealedTextField(null=True)  # what people call it
    file_key = SealedTextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(size__gte=0), name="sealed_file_has_a_size")]

    @property
    def place(self) -> str:
        """Its name in the storage: nothing but its id, spread over 256 folders."""
        return f"{self.pk.hex[-2:]}/{self.pk}"


__all__ = [
    "DestroyedKey",
    "IndexPhase",
    "Page",
    "Phase",
    "RecordKey",
    "RetiredKey",
    "SealedField",
    "SealedFile",
    "SealedModel",
    "SealedQuerySet",
    "SignerKey",
]
