"""Fields that nobody asked for, over REST."""

from typing import Any, Final

import pytest

from telehealth.rest.faces import shape_for
from tests.conformance.cells.asking import send
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.oracle import PEOPLE, Who
from tests.conformance.cells.rows import ROWS, name_of, path_of
from tests.conformance.routes import Route, routes

CHANGING: Final = [route for route in routes() if route.method != "get"]
PRIVILEGED: Final = (
    "id", "pk", "account_id", "is_staff", "is_superuser", "is_active", "epoch", "author", "author_id", "given_by", "granted_by",
    "made_by", "by", "actor", "signed_at", "signature", "digest", "key_id", "created_at", "version", "labels", "sees", "purpose_of_use",
    "no_export_until", "factor_at", "second_factor_at", "__class__", "patient__id", "_state", "emergency",
)  # fmt: skip


def somebody(route: Route) -> Who:
    return next(who for who in PEOPLE if who.scopes(*route.access))


def shapes() -> list[tuple[str, str, Any]]:
    found = [(route, shape_for(getattr(route.view, "shape_in", None), route.method)) for route in CHANGING if route.is_api]
    return [(name_of(route), route.route, shape) for route, shape in found if shape is not None]


@pytest.mark.parametrize("route", [route for route in CHANGING if route.is_api], ids=name_of)
def test_fields_that_are_not_asked_for_are_refused_by_name(clinic: Clinic, route: Route) -> None:
    shape = shape_for(getattr(route.view, "shape_in", None), route.method)
    who = somebody(route)
    if shape is None:
        return
    extra = {name: "00000000-0000-7000-8000-000000000bad" for name in PRIVILEGED if name not in shape().fields}
    row = ROWS.get(name_of(route))
    answer = send(clinic.browser(who.name), route.method, path_of(clinic, route, "pia"), extra, **(row.headers if row else {}))
    assert answer.status == 400, answer.body
    assert all(
        f'"field":"{name}","code":"unknown_field"'.encode() in answer.body.replace(b": ", b":").replace(b", ", b",") for name in extra
    )


def test_no_shape_takes_what_only_the_server_says() -> None:
    taken = {(name, field) for name, _, shape in shapes() for field in nested(shape()) if field in PRIVILEGED}
    assert taken == {
        ("post api/v1/audit/exports/", "actor"),  # whose acts are asked for
        ("post api/v1/visits/<uuid:pk>/check-in/", "version"),  # of a consent's text
    }


def nested(shape: Any) -> set[str]:
    found = set(shape.fields)
    for field in shape.fields.values():
        inner = getattr(field, "child", field)
        found |= nested(inner) if hasattr(inner, "fields") else set()
    return found
