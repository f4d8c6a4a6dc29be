"""Four small things every service needs of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, connections, models, transaction
from django.db.utils import OperationalError

from audit.ledger import current, refuse
from telehealth.core.errors import DomainError, Missing

M = TypeVar("M", bound=models.Model)
LOCK = "SELECT pg_advisory_xact_lock(key) FROM (SELECT key FROM unnest(%s::bigint[]) AS key ORDER BY key OFFSET 0) AS each"


def one(queryset: "models.QuerySet[M]", pk: object) -> M:
    """The row, or Missing. A miss is recorded: outside, "not yours" and "not there" look alike; inside, we know who asked."""
    label = queryset.model._meta.label
    try:
        return queryset.get(pk=pk)
    except (ObjectDoesNotExist, ValidationError, ValueError, TypeError) as error:
        refuse(current().actor, "not_visible", kind=label, pk=pk if isinstance(pk, UUID) else "")
        raise Missing(kind=label) from error


def lock(*parties: UUID, using: str = "default") -> None:
    """Take the parties' advisory locks in id order until the transaction ends, so that crossing bookings queue up.

    In one statement: a subquery with ORDER BY and OFFSET 0 is read in its order, and the function is called once per row read.
    """
    if not connections[using].in_atomic_block:
        raise transaction.TransactionManagementError("lock() holds nothing outside a transaction")
    keys = sorted({int.from_bytes(party.bytes[8:], "big", signed=True) for party in parties})
    if keys:
        with connections[using].cursor() as cursor:
            cursor.execute(LOCK, [keys])


@contextmanager
def constraint(name: str, error: type[DomainError], *more: str) -> Iterator[None]:
    """A savepoint in which a violation of the named constraint (or one of `more`) becomes our error. Any other is re-raised.

    A deadlock (40P01) is read as the same loss: with the advisory locks taken first it needs a path around them.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as violation:
        if _violated(violation) not in (name, *more):
            raise
        raise error() from violation
    except OperationalError as trouble:
        if getattr(trouble.__cause__, "sqlstate", "") != "40P01":
            raise
        raise error() from trouble


def _violated(violation: IntegrityError) -> str:
    diagnostics = getattr(violation.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or ""
