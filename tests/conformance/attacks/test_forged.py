"""Fields that nobody asked for, over REST."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from telehealth.rest.faces import shape_for
from tests.conformance.attacks.test_ids import due
from tests.conformance.cells.asking import body_of, changing, row_of, send
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.effects import OURS, post, taken
from tests.conformance.cells.oracle import PEOPLE, Who
from tests.conformance.cells.parts import Row
from tests.conformance.cells.rows import name_of, path_of
from tests.conformance.routes import NOBODY, Route, routes

CHANGING: Final = [route for route in routes() if route.method != "get"]
PRIVILEGED: Final = (
    "id", "pk", "account_id", "is_staff", "is_superuser", "is_active", "epoch", "author", "author_id", "given_by", "granted_by",
    "made_by", "by", "actor", "signed_at", "signature", "digest", "key_id", "created_at", "version", "labels", "sees", "purpose_of_use",
    "no_export_until", "factor_at", "second_factor_at", "__class__", "patient__id", "_state", "emergency",
    "guards_minors",
)  # fmt: skip


def somebody(clinic: Clinic, route: Route) -> Who:
    """Who may do it, if anybody may with what the cells' row says; else whoever comes as far as the body."""
    row = row_of(route)
    return (row and due(clinic, route, row)) or next(who for who in PEOPLE if who.scopes(*route.access))


def shape_of(route: Route) -> Any:
    return shape_for(getattr(route.view, "shape_in", None), route.method)


def shapes() -> list[tuple[str, str, Any]]:
    found = [(route, shape_of(route)) for route in CHANGING if route.is_api]
    return [(name_of(route), route.route, shape) for route, shape in found if shape is not None]


EVERY: Final = {name for model in OURS for field in model._meta.concrete_fields for name in (field.name, field.attname)} | {*PRIVILEGED}
HELD: Final = [route for route in CHANGING if route.is_api]


def unknown(answer: bytes) -> set[str]:
    return {each["field"] for each in json.loads(answer).get("errors", ()) if each["code"] == "unknown_field"}


@pytest.mark.parametrize("route", [route for route in HELD if shape_of(route)], ids=name_of)
def test_a_body_with_a_field_that_nobody_asked_for_is_refused_and_it_is_named(clinic: Clinic, route: Route) -> None:
    """Every field of every model beside a body that would do, and within each part of that body."""
    row, who, path = row_of(route) or Row(()), somebody(clinic, route), path_of(clinic, route, "pia")
    body = body_of(clinic, row, "pia")
    extra = {name: str(NOBODY) for name in EVERY - set(shape_of(route)().fields)}
    for told, names in [(extra | body, set(extra)), *within(body)]:
        answer = send(clinic.browser(who.name), route.method, path, told, **row.headers)
        assert (answer.status, unknown(answer.body) >= names, changing(answer.statements)) == (400, True, []), answer.body[:300]


def within(body: dict[str, Any]) -> Iterator[tuple[dict[str, Any], set[str]]]:
    """The same body with one field too many in one of its parts; and the names of those."""
    for name, part in body.items():
        if isinstance(part, dict):
            yield body | {name: part | {"id": str(NOBODY), "is_superuser": True}}, {f"{name}.id", f"{name}.is_superuser"}


@pytest.mark.parametrize("route", [route for route in HELD if not shape_of(route)], ids=name_of)
def test_where_no_body_is_asked_for_none_is_read(clinic: Clinic, route: Route) -> None:
    row, browser, path = row_of(route) or Row(()), clinic.browser(somebody(clinic, route).name), path_of(clinic, route, "pia")
    plain, more = (
        post(browser, path, told, method=route.method, kind="json", **row.headers) for told in ({}, dict.fromkeys(EVERY, str(NOBODY)))
    )
    assert (more.status, set(more.changing)) == (plain.status, set(plain.changing))
    assert taken(dict.fromkeys(EVERY, NOBODY), plain.facts, more.facts) == []


def test_no_shape_takes_what_only_the_server_says() -> None:
    taken = {(name, field) for name, _, shape in shapes() for field in nested(shape()) if field in PRIVILEGED}
    assert taken == {
        ("post api/v1/audit/exports/", "actor"),  # whose acts are asked for
        ("post api/v1/visits/<uuid:pk>/check-in/", "version"),  # of a consent's text
        ("patch api/v1/bookable-resources/<uuid:pk>/", "is_active"),  # an administrator takes a room out of use
    }


def nested(shape: Any) -> set[str]:
    found = set(shape.fields)
    for field in shape.fields.values():
        inner = getattr(field, "child", field)
        found |= nested(inner) if hasattr(inner, "fields") else set()
    return found
