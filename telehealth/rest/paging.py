"""Cursor paging: by the last row seen, not by position, so that nothing is shown twice or skipped."""

from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from telehealth.rest.errors import CursorInvalid

DEFAULT_LIMIT, MAX_LIMIT = 50, 100
M = TypeVar("M", bound=Model)
PARAMETERS = ("limit", "cursor")


def page_of(request: Request, rows: "QuerySet[M]", order: str) -> tuple[list[M], str | None]:
    """One page of `rows` and the address of the next, or None. `order` names one clear, never-null field ("-id")."""
    limit = limit_of(request)
    name, falling = order.lstrip("-"), order.startswith("-")
    if cursor := request.query_params.get("cursor"):
        rows = rows.filter(_beyond(rows.model, name, falling, _unpack(request, order, cursor)))
    sign = "-" if falling else ""
    found = list(rows.order_by(f"{sign}{name}", f"{sign}pk")[: limit + 1])
    if len(found) <= limit:
        return found, None
    # The surplus row only tells that there is more: it is never read, so it is no opening.
    found.pop()
    return found, _address(request, _pack(request, order, found[-1], name))


def limit_of(request: Request) -> int:
    """How many the caller asks for: `?limit=`, at most 100."""
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MAX_LIMIT):
        raise ValidationError({"limit": [ErrorDetail("", code="invalid")]})
    return int(text)


def mark_of(request: Request, order: str) -> list[str] | None:
    """For lists that are no rows: the mark that `address_after` put into the cursor, None on the first page."""
    cursor = request.query_params.get("cursor")
    return _unpack(request, order, cursor) if cursor else None


def address_after(request: Request, order: str, mark: list[str]) -> str:
    """The address of the page that goes on from this mark."""
    return _address(request, signing.dumps(mark, salt=_salt(request, order), compress=True))


def _beyond(model: type[Model], name: str, falling: bool, marks: list[str]) -> Q:
    try:
        value = model._meta.get_field(name).to_python(marks[0])  # type: ignore[union-attr]
        pk = model._meta.pk.to_python(marks[1])
    except (ModelValidationError, IndexError) as error:
        raise CursorInvalid from error
    after = "lt" if falling else "gt"
    return Q(**{f"{name}__{after}": value}) | Q(**{name: value, f"pk__{after}": pk})


def _salt(request: Request, order: str) -> str:
    return f"telehealth.rest.cursor {request.path} {order}"


def _pack(request: Request, order: str, row: Model, name: str) -> str:
    marks = [row._meta.get_field(name).value_to_string(row), str(row.pk)]  # type: ignore[union-attr]
    return signing.dumps(marks, salt=_salt(request, order), compress=True)


def _unpack(request: Request, order: str, cursor: str) -> list[str]:
    try:
        marks: Any = signing.loads(cursor, salt=_salt(request, order))
    except signing.BadSignature as error:
        raise CursorInvalid from error
    return [str(mark) for mark in marks]


def _address(request: Request, cursor: str) -> str:
    query = [(key, value) for key, values in request.query_params.lists() for value in values if key != "cursor"]
    return f"{request.path}?{urlencode([*query, ('cursor', cursor)])}"
