"""The id of somebody else's thing in every place of every body: refused, and nothing of theirs has changed."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final
from uuid import UUID

import pytest
from django.apps import apps
from django.db import models

from tests.conformance.cells.asking import body_of, row_of, send
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.oracle import PEOPLE, Who
from tests.conformance.cells.parts import Row
from tests.conformance.cells.rows import IN_BODIES, ROWS, name_of, path_of
from tests.conformance.routes import Route, routes

OFFERED: Final = [route for route in routes() if name_of(route) in {*ROWS, *IN_BODIES} and route.method != "get"]
THINGS: Final = ("patient", "visit", "done", "appointment", "later", "note", "draft", "prescription", "order", "resource", "consent",
                 "grant:viv", "care", "covering", "emergency", "finding", "incident", "message", "staff_record", "session")  # fmt: skip
PRACTITIONERS: Final = {"practitioner", "covering", "to", "offer"}  # everybody's to name


def due(clinic: Clinic, route: Route, row: Row) -> Who | None:
    return next((who for who in PEOPLE if who.sees("pia", *route.access) and row.rule(who, "pia")), None)


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a body an id stands."""
    if isinstance(body, UUID):
        yield path
    elif isinstance(body, dict):
        for name, value in body.items():
            yield from places(value, (*path, name))


def replaced(body: dict[str, Any], path: tuple[Any, ...], value: UUID) -> dict[str, Any]:
    name, *rest = path
    return {**body, name: replaced(body[name], tuple(rest), value) if rest else value}


def state(clinic: Clinic, into: list[Any]) -> None:
    """Everything that is ned's."""
    patient = clinic.thing("ned", "patient")
    into.append([
        (model._meta.label, list(model._default_manager.filter(patient=patient).order_by("pk").values_list()))
        for model in apps.get_models()
        if any(isinstance(field, models.ForeignKey) and field.name == "patient" for field in model._meta.fields)
    ])  # fmt: skip


@pytest.mark.parametrize("route", OFFERED, ids=name_of)
def test_a_foreign_id_in_a_body(clinic: Clinic, route: Route) -> None:
    row = row_of(route)
    who = due(clinic, route, row) if row else None
    if row is None or who is None or name_of(route) == "post api/v1/emergency-accesses/":  # which may be about anybody
        return
    body, path, before = body_of(clinic, row, "pia"), path_of(clinic, route, "pia"), list[Any]()
    state(clinic, before)
    for place in places(body):
        for thing in THINGS:
            after: list[Any] = []
            given = replaced(body, place, clinic.thing("ned", thing))
            answer = send(clinic.browser(who.name), route.method, path, given, is_api=route.is_api,
                          after=partial(state, clinic, after), **row.headers)  # fmt: skip
            assert after == before, (place, thing)
            foreign = thing != "patient" or who.role in ("patient", "proxy")  # the desk may name any patient
            if foreign and route.is_api:
                assert answer.status in (400, 404, 409), (place, thing, answer.status)


def test_there_are_bodies_with_ids_at_all(clinic: Clinic) -> None:
    held = {name_of(route) for route in OFFERED if (row := row_of(route)) and list(places(body_of(clinic, row, "pia")))}
    assert len(held) >= 9 and "post api/v1/visits/" in held
