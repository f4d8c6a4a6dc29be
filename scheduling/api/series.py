"""Series of appointments, and a provider's leaving, by REST."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from scheduling import selectors, services
from scheduling.models import AppointmentSeries
from scheduling.shapes import series as shapes
from telehealth.accounts.access import Action, Resource
from telehealth.rest.faces import CreateFace, Face


class SeriesList(CreateFace):
    """Book every visit of a rule, or none: 409 `series_clash` with `clashes`, each with its `starts_at` and `code`. 400 `series_odd`."""

    access = {"post": (Action.CREATE, Resource.APPOINTMENT)}
    shape_in = {"post": shapes.SeriesIn}
    shape_out = {"post": shapes.SeriesOut}

    def create(self, data: dict[str, Any]) -> AppointmentSeries:
        return services.book_series(**data, by=self.by)

    def find(self, pk: UUID) -> AppointmentSeries:
        return selectors.series_for(self.by, pk)

    def show(self, made: AppointmentSeries) -> dict[str, Any]:
        return shapes.SeriesOut(selectors.series_for(self.by, made.pk)).data


class SeriesOne(Face):
    """A series and its appointments."""

    access = (Action.READ, Resource.APPOINTMENT)
    shape_out = {"get": shapes.SeriesOut}

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.SeriesOut(selectors.series_for(self.by, pk)).data)


class SeriesCancel(Face):
    """Call off what is still to come of it, in one act. A repeat finds nothing left. 409 `too_late_to_cancel`."""

    access = (Action.ACT, Resource.APPOINTMENT)
    shape_in = {"post": shapes.SeriesCancelIn}
    shape_out = {"post": shapes.SeriesOut}

    def post(self, request: Request, pk: UUID) -> Response:
        services.cancel_series(series_id=pk, **self.given(shapes.SeriesCancelIn), by=self.by)
        return Response(shapes.SeriesOut(selectors.series_for(self.by, pk)).data)


class Reassign(Face):
    """A provider leaves: their appointments to come go to the first colleague who is there, free and licensed. Says only, unless
    `"dry_run": false`. 400 `reassignment_odd`."""

    access = (Action.CREATE, Resource.REASSIGNMENT)
    shape_in = {"post": shapes.ReassignIn}
    shape_out = {"post": shapes.ReassignOut}

    def post(self, request: Request, pk: UUID) -> Response:
        given = self.given(shapes.ReassignIn)
        done = not given.pop("dry_run")
        moves = services.reassign(from_id=pk, **given, apply=done, by=self.by)
        return Response(shapes.ReassignOut({"moves": moves, "done": done}).data)
