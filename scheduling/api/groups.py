"""Visits of several by REST. A place in one is booked as any appointment is: with its kind, provider and start."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from scheduling import selectors, services
from scheduling.models import GroupVisit
from scheduling.shapes import groups as shapes
from telehealth.accounts.access import Action, Resource
from telehealth.rest.faces import CreateFace, Face


class GroupVisitList(CreateFace):
    """What is planned, in order of time; planning one, which takes the provider's time once for all who will come.

    Refused as booking is refused; and 400 `not_a_group`, 409 `resource_taken`.
    """

    access = {"get": (Action.SEARCH, Resource.GROUP_VISIT), "post": (Action.CREATE, Resource.GROUP_VISIT)}
    shape_in = {"post": shapes.GroupVisitIn}
    shape_out = {"get": shapes.GroupVisitOut, "post": shapes.GroupVisitOut}
    shape_query = shapes.GroupVisitQuery
    paged = True

    def get(self, request: Request) -> Response:
        found = selectors.group_visits(**self.asked(shapes.GroupVisitQuery))
        return self.page(found, shapes.GroupVisitOut, order="starts_at")

    def create(self, data: dict[str, Any]) -> GroupVisit:
        return services.plan_group_visit(**data, by=self.by)

    def find(self, pk: UUID) -> GroupVisit:
        return selectors.group_visit(pk)

    def show(self, made: GroupVisit) -> dict[str, Any]:
        return shapes.GroupVisitOut(selectors.group_visit(made.pk)).data


class GroupVisitOne(Face):
    """One of them."""

    access = (Action.READ, Resource.GROUP_VISIT)
    shape_out = {"get": shapes.GroupVisitOut}

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.GroupVisitOut(selectors.group_visit(pk)).data)


class GroupVisitCancel(Face):
    """Call it off for everybody, and tell them. 409 `group_visit_cancelled`, `appointment_under_way` once somebody is here."""

    access = (Action.ACT, Resource.GROUP_VISIT)
    shape_in = {"post": shapes.GroupVisitCancelIn}
    shape_out = {"post": shapes.GroupVisitOut}

    def post(self, request: Request, pk: UUID) -> Response:
        services.cancel_group_visit(group_visit_id=pk, **self.given(shapes.GroupVisitCancelIn), by=self.by)
        return Response(shapes.GroupVisitOut(selectors.group_visit(pk)).data)
