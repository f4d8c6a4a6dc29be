"""Interpreters and rooms by REST."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from scheduling import selectors, services
from scheduling.models import BookableResource
from scheduling.shapes import groups as shapes
from telehealth.accounts.access import Action, Resource
from telehealth.core import one
from telehealth.rest.faces import CreateFace, Face


class ResourceList(CreateFace):
    """What visits can take beside provider and patient; adding to it. 400 `resource_odd`."""

    access = {"get": (Action.SEARCH, Resource.BOOKABLE_RESOURCE), "post": (Action.CREATE, Resource.BOOKABLE_RESOURCE)}
    shape_in = {"post": shapes.BookableIn}
    shape_out = {"get": shapes.BookableOut, "post": shapes.BookableOut}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.bookable_resources(), shapes.BookableOut, order="id")

    def create(self, data: dict[str, Any]) -> BookableResource:
        return services.define_resource(**data, by=self.by)

    def find(self, pk: UUID) -> BookableResource:
        return one(selectors.bookable_resources(), pk)


class ResourceOne(Face):
    """Change it, or switch it off: what is booked keeps it. 400 `resource_odd`."""

    access = (Action.UPDATE, Resource.BOOKABLE_RESOURCE)
    shape_in = {"patch": shapes.BookableChange}
    shape_out = {"patch": shapes.BookableOut}

    def patch(self, request: Request, pk: UUID) -> Response:
        changed = services.change_resource(resource_id=pk, changes=self.given(shapes.BookableChange), by=self.by)
        return Response(shapes.BookableOut(changed).data)
