"""Emergency access by REST."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from telehealth.accounts import sessions
from telehealth.accounts.access import Action, Resource
from telehealth.records import selectors, services, shapes
from telehealth.rest.faces import CreateFace, Face


class PatientLocate(Face):
    """In an emergency: the one patient whom record number, or whole name and birth date, fit. Few tries, all on record."""

    access = (Action.CREATE, Resource.EMERGENCY_ACCESS)
    shape_in = {"post": shapes.LocateIn}
    shape_out = {"post": shapes.LocatedOut}

    def post(self, request: Request) -> Response:
        asked = {name: str(value) for name, value in self.given(shapes.LocateIn).items()}
        found = services.locate(**asked, by=self.by)
        told = {"patient": found.patient, "initials": found.initials} if found else {"patient": None, "initials": ""}
        return Response(shapes.LocatedOut(told).data)


class EmergencyList(CreateFace):
    """Declare an emergency: this session sees one record for an hour, and privacy officers are told at once."""

    access = {"get": (Action.SEARCH, Resource.EMERGENCY_ACCESS), "post": (Action.CREATE, Resource.EMERGENCY_ACCESS)}
    shape_in = {"post": shapes.EmergencyIn}
    shape_out = {"get": shapes.EmergencyOut, "post": shapes.EmergencyOut}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.emergencies_for(self.by), shapes.EmergencyOut)

    def create(self, data: dict[str, Any]) -> Any:
        made = services.begin_emergency(patient_id=data["patient"], reason=data["reason"], text=data["text"], by=self.by)
        sessions.declare_emergency(self.request, made.patient_id, made.ends_at)
        return made

    def find(self, pk: UUID) -> Any:
        return selectors.emergency_for(self.by, pk)


class EmergencyDetail(Face):
    """One declared emergency, with what was said."""

    access = (Action.READ, Resource.EMERGENCY_ACCESS)
    shape_out = {"get": shapes.EmergencyFull}

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.EmergencyFull(selectors.emergency_for(self.by, pk)).data)


class EmergencyEnd(Face):
    """The emergency is over before its hour is."""

    access = (Action.ACT, Resource.EMERGENCY_ACCESS)
    shape_out = {"post": shapes.EmergencyOut}

    def post(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.EmergencyOut(services.end_emergency(emergency_id=pk, by=self.by)).data)
