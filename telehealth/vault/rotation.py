"""The life of a key-encryption key: made, active, retired, dropped. Record keys are wrapped anew; no data is touched.

Everything here is done beside traffic, and again after an interruption: what is not yet under the active key is found by
its `kek_id`. A retired key still unwraps, for processes that read a row or the keyring's file a moment ago; it is dropped by
a later run, when nothing is under it any more and every process has long read the file anew.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models, transaction
from psycopg import sql

from audit.ledger import Act, Actor, record
from telehealth.core import now
from telehealth.core.errors import Conflict
from telehealth.vault import document, keyring, providers
from telehealth.vault.document import Document
from telehealth.vault.kept import KEEP_SECONDS

BATCH = 500
DROP_AFTER = timedelta(seconds=2 * KEEP_SECONDS)


class StillInUse(Conflict):
    """Something is wrapped under a key that was to be retired, or would be lost with the keyring that was to be made."""

    code = "kek_in_use"


def tables() -> list[Any]:
    """Every table of keys that a key-encryption key wraps."""
    found = apps.get_app_config("vault").get_models()
    return [model for model in found if {"kek_id", "wrapped"} <= {field.name for field in model._meta.concrete_fields}]


def counts() -> dict[str, int]:
    """How many keys are under each key-encryption key."""
    found: dict[str, int] = {}
    for model in tables():
        for name, number in model.objects.values_list("kek_id").annotate(models.Count("pk")):
            found[name] = found.get(name, 0) + number
    return found


# Made


def begin_keyring(*, by: Actor) -> str:
    """A keyring where there is none: one key-encryption key, one index root. StillInUse when sealed records exist."""
    if document.path().exists() or counts():
        raise StillInUse
    name = _new_name()
    content = Document({name: keyring.new_key(f"kek:{name}")}, name, {1: keyring.new_key("index:1")})
    document.lay_down(content)
    record(by, Act.KEK_CREATED, detail={"kek": name})
    return name


def new_kek(*, by: Actor) -> str:
    """One more key-encryption key, which wraps nothing until `activate`: time to bring the file to every machine."""
    name = _new_name()
    blob = keyring.new_key(f"kek:{name}")
    document.change(lambda was: replace(was, keks={**was.keks, name: blob}))
    record(by, Act.KEK_CREATED, detail={"kek": name})
    return name


def _new_name() -> str:
    return f"{now():%Y-%m-%d}-{secrets.token_hex(3)}"


# Active


def activate(*, by: Actor) -> str:
    """The newest key-encryption key wraps from now on; its name. Nothing happens when it does already."""
    was = document.read()
    newest = [name for name in was.keks if name not in was.retired][-1]
    if newest != was.active:
        keyring.kek(newest)  # it opens, before anything depends on it
        document.change(lambda held: replace(held, active=newest))
        record(by, Act.KEK_ACTIVATED, detail={"kek": newest})
    return newest


def waiting(active: str) -> int:
    """How many keys are not yet under the active one."""
    return sum(number for name, number in counts().items() if name != active)


def rewrap(active: str, batch: int = BATCH) -> Iterator[int]:
    """Wrap every key anew; yields how many each transaction did. Ends when a look at all of them finds none left."""
    for model in tables():
        patient = False
        while _others(model, active).exists():
            yield from _one_pass(model, active, batch, patient)
            patient = True  # who was locked the first time is waited for the second


def _one_pass(model: Any, active: str, batch: int, patient: bool) -> Iterator[int]:
    after: Any = None
    while True:
        with transaction.atomic():
            rows = _others(model, active) if after is None else _others(model, active).filter(pk__gt=after)
            # NO KEY UPDATE: who only holds that the key exists goes on.
            found: list[Any] = list(rows.order_by("pk").select_for_update(skip_locked=not patient, no_key=True)[:batch])
            _write(model, active, {row.pk: keyring.rewrap(row.kek_id, bytes(row.wrapped), under=active) for row in found})
        if not found:
            return
        after = found[-1].pk
        yield len(found)


def _write(model: Any, active: str, wrapped: Mapping[UUID, bytes]) -> None:
    """In one statement; `bulk_update` takes ten times as long."""
    statement = sql.SQL(
        "UPDATE {table} AS held SET kek_id = %s, wrapped = fresh.wrapped "
        "FROM unnest(%s::uuid[], %s::bytea[]) AS fresh (pk, wrapped) WHERE held.{key} = fresh.pk"
    ).format(table=sql.Identifier(model._meta.db_table), key=sql.Identifier(model._meta.pk.column))
    with connection.cursor() as cursor:
        cursor.execute(statement, [active, list(wrapped), list(wrapped.values())])


def _others(model: Any, active: str) -> Any:
    return model.objects.exclude(kek_id=active)


# Retired, dropped


def retire(active: str, rewrapped: int, *, by: Actor) -> list[str]:
    """All but the active one wrap nothing any more, now that nothing is under them. StillInUse when something is."""
    if waiting(active):
        raise StillInUse
    at = f"{now():%Y-%m-%dT%H:%M:%SZ}"
    old = [name for name in document.read().keks if name != active]
    fresh = [name for name in old if name not in document.read().retired]
    if fresh:
        document.change(lambda was: replace(was, retired={**was.retired, **dict.fromkeys(fresh, at)}))
    if fresh or rewrapped:
        record(by, Act.KEK_RETIRED, detail={"kek": fresh, "active": active, "rewrapped": rewrapped})
    return fresh


def drop(*, by: Actor) -> list[str]:
    """Take those out of the keyring that were retired long enough ago and have nothing under them. Backups from before
    their retirement need them: keep the former file for as long as those."""
    used, was = counts(), document.read()
    gone = [name for name, at in was.retired.items() if name not in used and _since(at) > DROP_AFTER]
    if gone:
        document.change(lambda held: _without(held, gone))
        record(by, Act.KEK_DROPPED, detail={"kek": gone})
    return gone


def _since(at: str) -> timedelta:
    return now() - datetime.fromisoformat(at)


def _without(was: Document, gone: list[str]) -> Document:
    keks = {name: blob for name, blob in was.keks.items() if name not in gone}
    return replace(was, keks=keks, retired={name: at for name, at in was.retired.items() if name not in gone})


# Elsewhere


def move(provider_name: str, *, by: Actor) -> Document:
    """The same keys, wrapped by another provider (or anew by the same, under its newest key): the document to lay down."""
    was, provider = document.read(), providers.make(provider_name)
    keks = {name: provider.wrap_secret(keyring.kek(name), f"kek:{name}") for name in was.keks}
    indexes = {number: provider.wrap_secret(keyring.index_secret(number), f"index:{number}") for number in was.indexes}
    record(by, Act.KEYRING_MOVED, reason=provider_name, detail={"kek": list(keks)})
    return replace(was, keks=keks, indexes=indexes)
