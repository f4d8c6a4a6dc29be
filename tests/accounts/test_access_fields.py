"""Which fields each role is shown (minimum necessary): golden, and complete, so that a new field waits to be classified."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers

from audit.ledger import ANONYMOUS, Actor, current, unit, uuid7
from consults.shapes import TicketOut
from telehealth.accounts.access import TABLE, Action, Resource, Role
from telehealth.accounts.access_fields import FIELDS, classified, fields
from telehealth.accounts.shapes import RoleShape
from telehealth.core import now
from telehealth.rest.faces import METHODS, shape_for
from tests.accounts.test_access import PHI
from tests.conformance.routes import routes

NAME = {"id", "mrn", "family", "given", "birth_date", "address"}
SCHEDULE = {
    *("id", "status", "patient", "practitioner", "practitioner_name", "timezone", "visit_type", "modality"),
    *("starts_at", "ends_at"),
}
GOLDEN: dict[Role, dict[Resource, set[str]]] = {
    Role.FRONT_DESK: {
        Resource.PATIENT: NAME | {"phone", "email", "language", "is_deceased", "minor", "has_account"},
        Resource.APPOINTMENT: SCHEDULE
        | {"checkin_opens_at", "cancelled_reason", "cancelled_late", "held_until", "overbooked", "patient_state", "version"}
        | {"group_visit", "series", "rule", "appointments"},
        Resource.VISIT: {
            *("id", "appointment", "patient", "practitioner", "waiting", "status", "position", "version", "callback"),
            *("checked_in_at", "admitted_at", "started_at", "ended_at", "consents_required"),
        },
        Resource.WAITLIST: {
            *("id", "status", "patient", "practitioner", "visit_type", "earliest", "latest", "parts_of_day", "timezone"),
            *("urgency", "patient_state", "created_at", "offer"),
        },
        Resource.WAITING_ROOM: {"id", "appointment", "patient", "practitioner", "waiting", "status", "checked_in_at", "starts_at"},
    },
    Role.BILLER: {
        Resource.PATIENT: NAME,
        Resource.APPOINTMENT: SCHEDULE,
        Resource.BILLING: {"id", "type", "status", "date", "codes", "coverage", "notice"},
    },
    Role.PRIVACY_OFFICER: {},
    Role.ADMINISTRATOR: {},
}


def shapes() -> Iterator[type[RoleShape]]:
    routes()  # which loads every face
    waiting = [RoleShape]
    while waiting:
        found = waiting.pop().__subclasses__()
        waiting += found
        yield from (each for each in found if not each.__module__.startswith("tests"))


def declared() -> Iterator[tuple[str, Resource, type[serializers.Serializer[Any]]]]:
    """Each face of a resource with classified fields, with what it answers."""
    for route in routes():
        shape = shape_for(getattr(route.view, "shape_out", None), route.method) if route.method in METHODS else None
        if shape is not None and route.access[1] in FIELDS:
            yield f"{route.method} {route.route}", route.access[1], shape


def test_whatever_is_of_a_patient_has_its_fields_classified() -> None:
    assert set(FIELDS) - {Resource.BILLING} == PHI
    assert {resource for role in (Role.BILLER, Role.FRONT_DESK) for resource in GOLDEN[role]} <= set(FIELDS)


@pytest.mark.parametrize("resource", list(FIELDS), ids=str)
def test_a_new_field_waits_until_it_is_classified(resource: Resource) -> None:
    every = {name for shape in shapes() if shape.resource == resource for name in shape().fields}
    assert every == classified(resource)


def test_every_face_about_a_patient_answers_by_role() -> None:
    plain = {name for name, _, shape in declared() if not issubclass(shape, RoleShape) and shape is not TicketOut}
    assert plain == set()
    assert len(list(declared())) > 15


@pytest.mark.parametrize("role", list(GOLDEN))
def test_what_the_office_is_shown(role: Role) -> None:
    assert {resource: set(fields(role, resource)) for resource in FIELDS if fields(role, resource)} == GOLDEN[role]


@pytest.mark.parametrize("role", [Role.PATIENT, Role.PROXY, Role.PROVIDER, Role.NURSE])
def test_the_person_and_who_cares_for_them_are_shown_all_of_what_they_may_see(role: Role) -> None:
    for resource in set(FIELDS) & set(TABLE[role]):
        everything = classified(resource)
        assert fields(role, resource) == everything, resource


@pytest.mark.parametrize("role", list(Role))
def test_fields_are_for_those_who_may_see_the_row(role: Role) -> None:
    for resource in FIELDS:
        if not {Action.READ, Action.SEARCH} & set(TABLE[role].get(resource, {})):
            assert not fields(role, resource), (role, resource)


def test_neither_the_desk_nor_the_biller_sees_notes() -> None:
    for role in (Role.FRONT_DESK, Role.BILLER):
        for resource in (Resource.NOTE, Resource.SUMMARY, Resource.CLINICAL_RESOURCE, Resource.PRESCRIPTION):
            assert resource not in TABLE[role] and not fields(role, resource)


class Probe(RoleShape):
    resource = Resource.APPOINTMENT
    status = serializers.CharField()
    reason = serializers.CharField()
    unheard_of = serializers.CharField()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "shown"),
    [(Role.NURSE, {"status", "reason"}), (Role.FRONT_DESK, {"status"}), (Role.ADMINISTRATOR, set()), ("stranger", set())],
)
def test_a_shape_shows_by_who_asks_and_reads_nothing_else(role: str, shown: set[str]) -> None:
    class Row:
        status = "booked"

        @property
        def reason(self) -> str:
            assert "reason" in shown, "read for nobody"
            return "cough"

    with unit(ANONYMOUS, channel="web"):
        current().become(Actor(id=uuid7(), role=role, second_factor_at=now()))
        assert [set(row) for row in Probe([Row(), Row()], many=True).data] == [shown, shown]
