"""Visits, the waiting room and notes over REST."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from consults import selectors, services, shapes
from consults.models import Visit
from telehealth.accounts.access import Action, Resource
from telehealth.rest.faces import CreateFace, Face
from telehealth.rest.shapes import Nothing


class VisitList(CreateFace):
    access = (Action.CREATE, Resource.VISIT)
    shape_in = shapes.OpenIn
    shape_out = shapes.VisitOut

    def create(self, data: dict[str, Any]) -> Visit:
        return services.open_visit(appointment_id=data["appointment"], by=self.by)

    def find(self, pk: UUID) -> Visit:
        return selectors.visit_for(self.by, pk)


class VisitDetail(Face):
    access = (Action.READ, Resource.VISIT)
    shape_out = shapes.VisitOut

    def get(self, request: Request, pk: UUID) -> Response:
        visit = selectors.visit_for(self.by, pk)
        self.etag(visit.version)
        return Response(shapes.VisitOut(visit).data)


class CheckIn(Face):
    access = (Action.ACT, Resource.VISIT)
    shape_in = shapes.CheckInIn
    shape_out = shapes.VisitOut

    def post(self, request: Request, pk: UUID) -> Response:
        visit = services.check_in(visit_id=pk, **self.given(shapes.CheckInIn), by=self.by)
        return Response(shapes.VisitOut(visit).data)


class _Step(Face, abstract=True):
    shape_in = Nothing
    shape_out = shapes.VisitOut
    service: ClassVar[Callable[..., Visit]]

    def post(self, request: Request, pk: UUID) -> Response:
        self.given(Nothing)
        return Response(shapes.VisitOut(type(self).service(visit_id=pk, by=self.by)).data)


class Admit(_Step):
    access = (Action.ACT, Resource.WAITING_ROOM)
    service = staticmethod(services.admit)


class Hold(_Step):
    access = (Action.ACT, Resource.WAITING_ROOM)
    service = staticmethod(services.hold)


class Remove(_Step):
    access = (Action.ACT, Resource.WAITING_ROOM)
    service = staticmethod(services.remove)


class Complete(_Step):
    access = (Action.ACT, Resource.WAITING_ROOM)
    service = staticmethod(services.complete)


class Leave(_Step):
    access = (Action.ACT, Resource.VISIT)
    service = staticmethod(services.leave)


class Tickets(Face):
    access = (Action.ACT, Resource.VISIT)
    shape_in = Nothing
    shape_out = shapes.TicketOut

    def post(self, request: Request, pk: UUID) -> Response:
        self.given(Nothing)
        ticket = services.issue_ticket(visit_id=pk, by=self.by)
        return Response(shapes.TicketOut(ticket).data, status=201)


class WaitingRoom(Face):
    access = (Action.SEARCH, Resource.WAITING_ROOM)
    shape_out = shapes.WaitingOut
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.waiting_room_for(self.by), shapes.WaitingOut, order="id")


class NoteList(CreateFace):
    access = {"get": (Action.SEARCH, Resource.NOTE), "post": (Action.CREATE, Resource.NOTE)}
    shape_in = {"post": shapes.NoteIn}
    shape_out = {"get": shapes.NoteOut, "post": shapes.NoteOut}
    paged = True

    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(selectors.notes_of(self.by, pk), shapes.NoteOut)

    def create(self, data: dict[str, Any]) -> Any:
        return services.draft(visit_id=self.kwargs["pk"], parts=data, sensitivity=data.get("sensitivity"), by=self.by)

    def find(self, pk: UUID) -> Any:
        return selectors.note_for(self.by, pk)

    def show(self, made: Any) -> dict[str, Any]:
        self.etag(made.version)
        return super().show(made)


class NoteDetail(Face):
    access = {"get": (Action.READ, Resource.NOTE), "put": (Action.UPDATE, Resource.NOTE)}
    shape_in = {"put": shapes.NoteIn}
    shape_out = {"get": shapes.NoteOut, "put": shapes.NoteOut}

    def get(self, request: Request, pk: UUID) -> Response:
        return self._reply(selectors.note_for(self.by, pk))

    def put(self, request: Request, pk: UUID) -> Response:
        told = self.given(shapes.NoteIn)
        sensitivity, version = told.pop("sensitivity", None), self.expected()
        return self._reply(services.revise(note_id=pk, version=version, parts=told, sensitivity=sensitivity, by=self.by))

    def _reply(self, note: Any) -> Response:
        self.etag(note.version)
        return Response(shapes.NoteOut(note).data)


class NoteSign(Face):
    access = (Action.SIGN, Resource.NOTE)
    shape_in = shapes.SensitivityIn
    shape_out = shapes.NoteOut

    def post(self, request: Request, pk: UUID) -> Response:
        told = self.given(shapes.SensitivityIn)
        version = self.expected() if "If-Match" in request.headers else None
        note = services.sign(note_id=pk, version=version, sensitivity=told.get("sensitivity"), by=self.by)
        return Response(shapes.NoteOut(note).data)


class NoteAddenda(CreateFace):
    access = (Action.CREATE, Resource.NOTE)
    shape_in = shapes.NoteIn
    shape_out = shapes.NoteOut

    def create(self, data: dict[str, Any]) -> Any:
        return services.amend(note_id=self.kwargs["pk"], parts=data, sensitivity=data.get("sensitivity"), by=self.by)

    def find(self, pk: UUID) -> Any:
        return selectors.note_for(self.by, pk)

    def show(self, made: Any) -> dict[str, Any]:
        self.etag(made.version)
        return super().show(made)


class SummaryFace(Face):
    access = (Action.READ, Resource.SUMMARY)
    shape_out = shapes.SummaryOut

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.SummaryOut(selectors.summary_for(self.by, pk)).data)
