"""Destroying a record for good: ciphertext, blind indexes and what else tells of it go, then its wrapped keys.

The rows stay as tombstones, for what points to them (the schedule, the ledger) stands. It is the owner's work, in one
transaction: killed in the middle, nothing has happened. What backups still hold is in docs/keys.md.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.db.models import Model
from psycopg import sql

from audit.ledger import current
from telehealth.vault import cipher, sealed_rows
from telehealth.vault.fields import index_fields_of, sealed_fields_of
from telehealth.vault.files import places
from telehealth.vault.models import DestroyedKey, RecordKey, RetiredKey, SealedFile, SealedModel
from telehealth.vault.record_keys import absent


def destroy(record_id: UUID, using: str) -> dict[str, int]:
    """Destroy the record's content and its keys in the caller's transaction; how many rows of each model were emptied.
    Broken or RecordDestroyed when there is no key. Whoever is writing to the record is waited for."""
    current()
    if RecordKey.objects.using(using).select_for_update().filter(record_id=record_id).first() is None:
        raise absent(record_id)
    sealed_rows.open_door(record_id, using)
    _remove_files(record_id, using)
    counts = {
        model._meta.label: erase(model, sealed_rows.record_column(model), record_id, using) for model in sealed_rows.models_of_records()
    }
    RetiredKey.objects.using(using).filter(record_id=record_id).delete()
    RecordKey.objects.using(using).filter(record_id=record_id).delete()
    DestroyedKey.objects.using(using).create(record_id=record_id)
    return {label: count for label, count in counts.items() if count}


def erase(model: type[SealedModel], column: str, value: UUID, using: str) -> int:
    """A tombstone for each sealed value of these rows, nothing for each index, and the model's `shred_columns`."""
    assignments: list[sql.Composable] = []
    parameters: list[Any] = []
    for field in sealed_fields_of(model):
        assignments.append(
            sql.SQL("{0} = CASE WHEN {0} IS NULL THEN NULL ELSE {1} END").format(_name(field), sql.Literal(cipher.TOMBSTONE))
        )
    for index in index_fields_of(model):
        assignments.append(sql.SQL("{} = NULL").format(_name(index)))
    for name, empty in model.shred_columns.items():
        assignments.append(sql.SQL("{} = %s").format(_name(model._meta.get_field(name))))
        parameters.append(empty)
    statement = sql.SQL("UPDATE {} SET {} WHERE {} = %s").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(assignments), sql.Identifier(column)
    )
    with connections[using].cursor() as cursor:
        cursor.execute(statement, [*parameters, value])
        return int(cursor.rowcount)


def clear_away(using: str) -> None:
    """Let the tables forget the former versions of their rows, which hold the ciphertext until then. Outside a transaction."""
    models: list[type[Model]] = [*sealed_rows.models_of_records(), RecordKey, RetiredKey]
    with connections[using].cursor() as cursor:
        for name in sorted({model._meta.db_table for model in models}):
            cursor.execute(sql.SQL("VACUUM {}").format(sql.Identifier(name)))


def ids_of(record_id: UUID, using: str) -> Sequence[UUID]:
    """The rows of the record, whatever they are."""
    return [
        pk
        for model in sealed_rows.models_of_records()
        for pk in model.objects.using(using).filter(**{model.record_field: record_id}).values_list("pk", flat=True)
    ]


def _remove_files(record_id: UUID, using: str) -> None:
    found = [row.place for row in SealedFile.objects.using(using).filter(owner_id=record_id)]

    def remove() -> None:
        for place in found:
            places.sealed().delete(place)

    transaction.on_commit(remove, using=using)


def _name(field: Any) -> sql.Identifier:
    return sql.Identifier(field.column)
