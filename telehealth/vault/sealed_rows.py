"""Where sealed values are: by record, table and column. For the owner's work on ciphertext, which the ORM does not do."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import connections
from django.db.models import Field
from psycopg import sql

from telehealth.vault import cipher
from telehealth.vault.fields import ACCOUNTS, SealedField, sealed_fields_of
from telehealth.vault.models import SealedModel


@dataclass(frozen=True)
class Home:
    """A model, and those of its sealed fields that one kind of key seals: its record's, or the key of all accounts."""

    model: type[SealedModel]
    fields: tuple[SealedField, ...]
    of_record: bool

    @property
    def table(self) -> sql.Identifier:
        return sql.Identifier(self.model._meta.db_table)

    @property
    def columns(self) -> list[sql.Identifier]:
        return [sql.Identifier(str(field.column)) for field in self.fields]

    def where(self, record_id: UUID) -> sql.Composable:
        """The rows of the record; of the accounts' key, all rows."""
        if not self.of_record:
            return sql.SQL("true")
        return sql.SQL("{} = {}").format(sql.Identifier(record_column(self.model)), sql.Literal(record_id))


def record_column(model: type[SealedModel]) -> str:
    """The column that names the record; FieldDoesNotExist when a model names none, which no model may."""
    field = model._meta.get_field(model.record_field)
    if not isinstance(field, Field):
        raise FieldDoesNotExist(model.record_field)
    return str(field.column)


@cache
def models_of_records() -> tuple[type[SealedModel], ...]:
    """Every model with fields sealed under its record's key."""
    return tuple(home.model for home in _homes() if home.of_record)


def homes_of(record_id: UUID) -> tuple[Home, ...]:
    """Everywhere that this record's key, or the accounts' key, may have sealed something."""
    return tuple(home for home in _homes() if home.of_record == (record_id != ACCOUNTS))


@cache
def _homes() -> tuple[Home, ...]:
    found = []
    for model in apps.get_models():
        if not issubclass(model, SealedModel):
            continue
        for of_record in (True, False):
            if fields := tuple(field for field in sealed_fields_of(model) if (field.key is None) == of_record):
                found.append(Home(model, fields, of_record))
    return tuple(found)


def not_under(home: Home, record_id: UUID, version: int) -> sql.Composed:
    """The condition of rows with a value of this record under another version of its key."""
    head = sql.Literal(cipher.VERSION + version.to_bytes(2, "big"))
    stale = [
        sql.SQL("({0} IS NOT NULL AND {0} <> {1} AND substring({0} FROM 1 FOR 3) <> {2})").format(
            column, sql.Literal(cipher.TOMBSTONE), head
        )
        for column in home.columns
    ]
    return sql.SQL("{} AND ({})").format(home.where(record_id), sql.SQL(" OR ").join(stale))


def count(record_id: UUID, version: int, using: str) -> int:
    """How many rows hold something under another version."""
    total = 0
    with connections[using].cursor() as cursor:
        for home in homes_of(record_id):
            cursor.execute(sql.SQL("SELECT count(*) FROM {} WHERE {}").format(home.table, not_under(home, record_id, version)))
            total += cursor.fetchone()[0]
    return total


def batch(home: Home, record_id: UUID, version: int, size: int, using: str) -> Iterator[tuple[UUID, list[bytes | None]]]:
    """Some of them, locked: id and sealed values in the order of the fields."""
    names = sql.SQL(", ").join([sql.Identifier("id"), *home.columns])
    query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY id LIMIT {} FOR UPDATE")
    with connections[using].cursor() as cursor:
        cursor.execute(query.format(names, home.table, not_under(home, record_id, version), sql.Literal(size)))
        for pk, *values in cursor.fetchall():
            yield pk, [None if value is None else bytes(value) for value in values]


def write(home: Home, pk: UUID, values: list[bytes | None], using: str) -> None:
    """Put sealed values in their places."""
    pairs = [sql.SQL("{} = {}").format(column, sql.Placeholder()) for column in home.columns]
    statement = sql.SQL("UPDATE {} SET {} WHERE id = {}").format(home.table, sql.SQL(", ").join(pairs), sql.Placeholder())
    with connections[using].cursor() as cursor:
        cursor.execute(statement, [*values, pk])


def open_door(record_id: UUID, using: str) -> None:
    """Name the record for `vault_owner_reseals`, until the transaction ends. Worth nothing to anybody but the owner."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT set_config('vault.reseal', %s, true)", [str(record_id)])


def bound(home: Home, field: SealedField, pk: UUID, record_id: UUID) -> bytes:
    """What the value of this field in this row is bound to."""
    return cipher.aad(home.model._meta.label_lower, field.attname, pk, record_id)
