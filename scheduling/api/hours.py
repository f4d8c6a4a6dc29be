"""When somebody is there, by REST: providers see their own, administrators say it."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from scheduling import selectors, services
from scheduling.models import Availability, AvailabilityException
from scheduling.shapes import hours as shapes
from telehealth.accounts.access import Action, Resource
from telehealth.core import one
from telehealth.rest.faces import Access, CreateFace, Face

ACCESS: dict[str, Access] = {"get": (Action.SEARCH, Resource.AVAILABILITY), "post": (Action.CREATE, Resource.AVAILABILITY)}


class HoursList(CreateFace):
    """Rules of who is there when; saying one more, from which offers come at once.

    400 `rule_not_supported`, `rule_needs_start`, `hours_empty`, `unknown_timezone`, `unknown_practitioner`, `unknown_visit_type`.
    """

    access = ACCESS
    shape_in = {"post": shapes.HoursIn}
    shape_out = {"get": shapes.HoursOut, "post": shapes.HoursOut}
    shape_query = shapes.HoursQuery
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.hours_for(self.by, **self.asked(shapes.HoursQuery)), shapes.HoursOut, order="id")

    def create(self, data: dict[str, Any]) -> Availability:
        return services.open_hours(**data, by=self.by)

    def find(self, pk: UUID) -> Availability:
        return one(selectors.hours_for(self.by), pk)


class HoursOne(Face):
    """No longer offered. What is booked in it stays booked."""

    access = (Action.DELETE, Resource.AVAILABILITY)

    def delete(self, request: Request, pk: UUID) -> Response:
        services.close_hours(availability_id=pk, by=self.by)
        return Response(status=204)


class ExceptionList(CreateFace):
    """Time off, extra hours and closures; saying one more. What is booked stays booked.

    400 `exception_odd`, `hours_empty`, `unknown_timezone`, `unknown_practitioner`, `unknown_visit_type`.
    """

    access = ACCESS
    shape_in = {"post": shapes.ExceptionIn}
    shape_out = {"get": shapes.ExceptionOut, "post": shapes.ExceptionOut}
    shape_query = shapes.HoursQuery
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.exceptions_for(self.by, **self.asked(shapes.HoursQuery)), shapes.ExceptionOut, order="id")

    def create(self, data: dict[str, Any]) -> AvailabilityException:
        return services.except_hours(**data, by=self.by)

    def find(self, pk: UUID) -> AvailabilityException:
        return one(selectors.exceptions_for(self.by), pk)


class ExceptionOne(Face):
    """As the rules say again."""

    access = (Action.DELETE, Resource.AVAILABILITY)

    def delete(self, request: Request, pk: UUID) -> Response:
        services.lift_exception(exception_id=pk, by=self.by)
        return Response(status=204)
