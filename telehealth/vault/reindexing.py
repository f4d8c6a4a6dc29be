"""From one version of the index root to the next, beside traffic; see `telehealth.vault.phases`. Runs again where it ended.

Values are opened inside the vault, for the index's sake, and none leaves it: that is no opening, but an act.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import F, Q
from psycopg import sql

from audit.ledger import Act, Actor, current, record
from telehealth.core import now
from telehealth.vault import document, keyring, phases
from telehealth.vault.fields import BlindIndexField, index_fields_of
from telehealth.vault.models import IndexPhase, SealedModel, value_of
from telehealth.vault.phases import CLEARING, FILLING, MOVING, STEADY
from telehealth.vault.rekeying import patiently, wait_a_little

BATCH = 500
SETTLE = 2 * phases.KNOWN_SECONDS
LOCK = "SELECT pg_advisory_xact_lock(7615, 1)"


def new_root(*, by: Actor) -> int:
    """One more version of the root in the keyring's file, which nothing uses yet: time to bring the file to every machine."""
    made = max(keyring.index_versions()) + 1
    blob = keyring.new_key(f"index:{made}")
    document.change(lambda was: replace(was, indexes={**was.indexes, made: blob}))
    record(by, Act.INDEX_ROOT_CREATED, detail={"version": made})
    return made


def run(*, by: Actor, size: int = BATCH, settle: float = SETTLE) -> Iterator[int]:
    """Bring every index under the newest root; yields the rows of each batch. Nothing happens when they are."""
    current()
    if _now().name == STEADY:
        if max(keyring.index_versions()) == _now().current:
            return
        _advance(FILLING, by)
    while _now().name != STEADY:
        name = _now().name
        while done := sum(_each(name, size)):
            yield done
        if name == FILLING:
            _wait_until_known(settle)
        _advance({FILLING: MOVING, MOVING: CLEARING, CLEARING: STEADY}[name], by)


def fill_missing(size: int = BATCH) -> Iterator[int]:
    """Write the indexes that rows of an older release lack; yields the rows of each batch. In no phase but the steady one
    is there anything that this must not do: what it writes is what a save would."""
    current()
    for model in _models():
        lacking = Q(pk__in=[])
        for field in index_fields_of(model):
            if not field.beside:
                lacking |= Q(**{f"{field.attname}__isnull": True, f"{field.source}__isnull": False})
        after = UUID(int=0)
        while ids := list(model._base_manager.filter(lacking, pk__gt=after).order_by("pk").values_list("pk", flat=True)[:size]):  # noqa: SLF001
            yield patiently(partial(_fill_lacking, model, ids))
            after = ids[-1]


def _fill_lacking(model: type[SealedModel], ids: list[UUID]) -> int:
    changed = 0
    with transaction.atomic():
        wait_a_little("default")
        for row in model._base_manager.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",)):  # noqa: SLF001
            made = {field.attname: field.to_write(value_of(row, field.source)) for field in index_fields_of(model)}
            values = {name: value for name, value in made.items() if value is not None and row.__dict__[name] is None}
            if values:
                changed += model._base_manager.filter(pk=row.pk).update(**values)  # noqa: SLF001
    return changed


def rows() -> int:
    """How many rows have an index."""
    return sum(model._base_manager.count() for model in _models())  # noqa: SLF001


def version() -> int:
    """The root that indexes are looked up under."""
    return _now().current


def _each(name: str, size: int) -> Iterator[int]:
    step = _fill if name == FILLING else partial(_shift, name)
    for model in _models():
        yield patiently(partial(step, model, size))


def _advance(name: str, by: Actor) -> None:
    """The next phase, once nobody writes by this one; stays when they left something to do."""
    patiently(partial(_step, name, by))


def _step(name: str, by: Actor) -> int:
    with transaction.atomic():
        wait_a_little("default")
        with connection.cursor() as cursor:
            cursor.execute(LOCK)
        was = _now()
        if was.name != STEADY and any(_rest(model, was.name).exists() for model in _models()):
            return 0
        coming = max(keyring.index_versions()) if name == FILLING else was.coming
        done = name == STEADY
        values = {"current": coming if done else was.current, "coming": None if done else coming, "phase": name}
        IndexPhase.objects.update_or_create(id=1, defaults=values)
        record(by, Act.INDEX_PHASE_BEGUN, reason=name, detail={"version": coming or was.current})
    phases.forget()
    return 1


def _now() -> phases.Phase:
    row = IndexPhase.objects.first()
    return phases.Phase(row.current, row.coming, row.phase) if row else phases.Phase()


def _wait_until_known(settle: float) -> None:
    """Until every process looks for the coming version too."""
    row = IndexPhase.objects.get()
    time.sleep(max(0.0, settle - (now() - row.since).total_seconds()))


@cache
def _models() -> tuple[type[SealedModel], ...]:
    found = (model for model in apps.get_models() if issubclass(model, SealedModel))
    return tuple(model for model in found if index_fields_of(model) or model.search_tokens)


def _pairs(model: type[SealedModel]) -> list[tuple[str, BlindIndexField]]:
    return [(field.beside, field) for field in index_fields_of(model) if field.beside]


def _columns(model: type[SealedModel]) -> list[tuple[str, str]]:
    return [*((main, field.attname) for main, field in _pairs(model)), *((column, f"{column}_next") for column in model.search_tokens)]


def _rest(model: type[SealedModel], name: str) -> Any:
    """The rows that this phase has still to see to."""
    query = Q(pk__in=[])
    for main, beside in _columns(model):
        if name == FILLING:
            filled = Q(**{f"{main}__isnull": False}) & ~Q(**{main: []}) if main in model.search_tokens else Q(**{f"{main}__isnull": False})
            query |= filled & Q(**{f"{beside}__isnull": True})
        elif name == MOVING:
            query |= Q(**{f"{beside}__isnull": False}) & ~Q(**{main: F(beside)})
        else:
            query |= Q(**{f"{beside}__isnull": False})
    return model._base_manager.filter(query)  # noqa: SLF001  # Django's own name; ours would refuse the update


def _fill(model: type[SealedModel], size: int) -> int:
    coming = _now().coming or 1
    with transaction.atomic():
        wait_a_little("default")
        rows = list(_rest(model, FILLING).order_by("pk").select_for_update(of=("self",))[:size])
        for row in rows:
            values: dict[str, Any] = {field.attname: field.digest(value_of(row, field.source), coming) for _, field in _pairs(model)}
            for column, (sources, make) in model.search_tokens.items():
                values[f"{column}_next"] = make(coming, *(value_of(row, source) or "" for source in sources))
            model._base_manager.filter(pk=row.pk).update(**values)  # noqa: SLF001
    return len(rows)


def _shift(name: str, model: type[SealedModel], size: int) -> int:
    """Move or clear, without a key: the values are there."""
    with transaction.atomic():
        wait_a_little("default")
        ids = list(_rest(model, name).order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)[:size])
        if not ids:
            return 0
        parts = [
            sql.SQL("{0} = COALESCE({1}, {0})").format(sql.Identifier(main), sql.Identifier(beside))
            if name == MOVING
            else sql.SQL("{} = NULL").format(sql.Identifier(beside))
            for main, beside in _columns(model)
        ]
        with connection.cursor() as cursor:
            statement = sql.SQL("UPDATE {} SET {} WHERE id = ANY(%s)").format(
                sql.Identifier(model._meta.db_table), sql.SQL(", ").join(parts)
            )
            cursor.execute(statement, [ids])
    return len(ids)
