"""What a request has changed: which statements wrote, and the rows that are other than before, what is sealed in them included."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import connection, models, transaction

from audit.ledger import SYSTEM, unit
from telehealth.vault.fields import SealedField
from tests.conformance.cells.asking import Statements, changing, undone
from tests.conformance.cells.clinic import Clinic, Kept
from tests.conformance.routes import NOBODY

OURS: Final = [model for model in apps.get_models() if model.__module__.split(".")[0] not in ("django", "auditlog", "oauth2_provider")]
Fact = tuple[str, str, str]  # of which model, which field, what it is now


@dataclass(frozen=True)
class Effect:
    """`facts`: every field of every row that was written."""

    status: int
    changing: tuple[str, ...]
    facts: Counter[Fact]
    session: frozenset[str]  # what it remembers, by name

    @property
    def models(self) -> list[type[models.Model]]:
        return written(self.changing)


def written(changing: tuple[str, ...]) -> list[type[models.Model]]:
    """The models whose tables these statements name first."""
    tables = {each.split('"')[1] for each in changing if '"' in each}
    return [model for model in OURS if model._meta.db_table in tables]


def post(browser: Kept, path: str, body: Mapping[str, Any], *, method: str = "post", kind: str = "multipart", **headers: str) -> Effect:
    """One request, looked at and undone. A file is sent from its beginning."""
    statements = Statements()
    for value in body.values():
        if hasattr(value, "seek"):
            value.seek(0)
    with undone(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        (following,) = cursor.fetchone()
        with connection.execute_wrapper(statements):
            reply = getattr(browser, method)(path, dict(body), format=kind, **headers)
        wrote = tuple(changing(statements))
        if transaction.get_rollback():
            return Effect(reply.status_code, (*wrote, "and one of them failed"), Counter(), frozenset())
        with unit(SYSTEM, channel="task", reason="test"):
            facts = Counter(fact for row in written_since(following, wrote) for fact in facts_of(row))
    return Effect(reply.status_code, wrote, facts, frozenset(reply.wsgi_request.session.keys()))


def written_since(number: str, changing: tuple[str, ...]) -> Iterator[models.Model]:
    """Rows whose newest version is of a transaction that was not there yet."""
    for model in written(changing):
        with connection.cursor() as cursor:
            key = model._meta.pk.column if model._meta.pk else ""
            cursor.execute(f'SELECT "{key}" FROM "{model._meta.db_table}" WHERE xmin::text::bigint >= %s', [int(number)])
            found = [pk for (pk,) in cursor.fetchall()]
        yield from model._base_manager.filter(pk__in=found)


def facts_of(row: models.Model) -> Iterator[Fact]:
    for field in row._meta.concrete_fields:
        yield row._meta.label, field.name, str(getattr(row, field.attname))


def other_values(clinic: Clinic, among: list[type[models.Model]], facts: Counter[Fact], turn: bool) -> dict[str, Any]:
    """For each field's name, and its column's, a value that fits it and that no row of `facts` has."""
    found: dict[str, Any] = {}
    for model in among:
        for field in model._meta.concrete_fields:
            had = {value for label, name, value in facts if (label, name) == (model._meta.label, field.name)}
            value = next(each for each in candidates(clinic, field, turn) if str(each) not in had or isinstance(each, bool))
            for name in (field.name, field.attname):
                found.setdefault(name, value)
    return found


def candidates(clinic: Clinic, field: Any, turn: bool) -> Iterator[Any]:
    if field.remote_field:
        yield from FOREIGN.get(field.related_model._meta.label, lambda clinic: [])(clinic)
    if field.choices and not field.remote_field:
        yield from [code for code, _ in field.flatchoices][:: 1 if turn else -1]
    yield from NAMED.get(field.name, ())
    yield from [turn] if field.get_internal_type() == "BooleanField" else []
    yield from [] if isinstance(field, SealedField) else VALUES.get(field.get_internal_type(), ())
    yield from ("Mallory", "Mallet")


FOREIGN: Final[Mapping[str, Any]] = {
    "accounts.User": lambda clinic: [clinic.accounts["biller"], clinic.accounts["nat"]],
    "records.Patient": lambda clinic: [clinic.thing("ned", "patient"), NOBODY],
    "records.Practitioner": lambda clinic: [clinic.doctors["dr_exc"].pk, NOBODY],
    "consults.Visit": lambda clinic: [clinic.thing("ned", "visit"), NOBODY],
    "scheduling.Appointment": lambda clinic: [clinic.thing("ned", "later"), NOBODY],
}
NAMED: Final = {"role": ("administrator", "privacy_officer"), "status": ("fulfilled", "finished", "signed", "active")}
VALUES: Final[Mapping[str, tuple[Any, ...]]] = {
    "UUIDField": (NOBODY, UUID(int=7)),
    "DateField": (date(2001, 2, 3), date(2001, 2, 4)),
    "DateTimeField": (datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC), datetime(2001, 2, 4, tzinfo=UTC)),
    "TimeField": (time(3, 33), time(3, 34)),
    "DecimalField": (Decimal(31_077), Decimal(31_078)),
    **dict.fromkeys(
        ("IntegerField", "PositiveIntegerField", "SmallIntegerField", "PositiveSmallIntegerField", "BigIntegerField"), (31_077, 31_078)
    ),
}


def taken(given: Mapping[str, Any], before: Counter[Fact], after: Counter[Fact]) -> list[Fact]:
    """Facts that hold only since these values were sent along."""
    return [fact for fact in after - before if fact[1] in given and str(given[fact[1]]) == fact[2]]
