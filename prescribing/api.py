"""Prescriptions, the formulary and the pharmacies by REST."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from prescribing import selectors, services, shapes
from prescribing.models import Prescription
from telehealth.accounts.access import Action, Resource
from telehealth.rest.faces import CreateFace, Face


class MedicationList(Face):
    """The formulary, by name; `q` narrows it."""

    access = (Action.SEARCH, Resource.MEDICATION)
    shape_query = shapes.QueryIn
    shape_out = {"get": shapes.MedicationOut}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.medications(self.asked(shapes.QueryIn)["q"]), shapes.MedicationOut, order="name")


class PharmacyList(Face):
    """The pharmacies that prescriptions can go to; `q` narrows by name or place."""

    access = (Action.SEARCH, Resource.PHARMACY)
    shape_query = shapes.QueryIn
    shape_out = {"get": shapes.PharmacyOut}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.pharmacies(self.asked(shapes.QueryIn)["q"]), shapes.PharmacyOut, order="id")


class PrescriptionList(CreateFace):
    """The prescriptions that the caller may see, newest first, of one `visit` if given; POST writes a draft."""

    access = {"get": (Action.SEARCH, Resource.PRESCRIPTION), "post": (Action.CREATE, Resource.PRESCRIPTION)}
    shape_in = {"post": shapes.PrescribeIn}
    shape_out = {"get": shapes.PrescriptionOut, "post": shapes.PrescriptionDetailOut}
    shape_query = shapes.VisitQueryIn
    paged = True

    def get(self, request: Request) -> Response:
        visit = self.asked(shapes.VisitQueryIn).get("visit")
        rows = selectors.prescriptions_of(self.by, visit) if visit else selectors.prescriptions_for(self.by, Action.SEARCH)
        return self.page(rows, shapes.PrescriptionOut)

    def create(self, data: dict[str, Any]) -> Prescription:
        return services.prescribe(visit_id=data.pop("visit"), **data, by=self.by)

    def find(self, pk: UUID) -> Prescription:
        return selectors.prescription_for(self.by, pk)


class PrescriptionDetail(Face):
    """One prescription, with the proof that it is what was signed."""

    access = (Action.READ, Resource.PRESCRIPTION)
    shape_out = {"get": shapes.PrescriptionDetailOut}

    def get(self, request: Request, pk: UUID) -> Response:
        found = selectors.prescription_for(self.by, pk)
        self.etag(found.version)
        return Response(shapes.PrescriptionDetailOut(found).data)


class PrescriptionSign(Face):
    """Sign and send, with a second factor of its own."""

    access = (Action.SIGN, Resource.PRESCRIPTION)
    shape_in = {"post": shapes.SignIn}
    shape_out = {"post": shapes.PrescriptionDetailOut}

    def post(self, request: Request, pk: UUID) -> Response:
        signed = services.sign(prescription_id=pk, **self.given(shapes.SignIn), by=self.by)
        return Response(shapes.PrescriptionDetailOut(signed).data)


class PrescriptionCancel(Face):
    """Give a draft up."""

    access = (Action.ACT, Resource.PRESCRIPTION)
    shape_out = {"post": shapes.PrescriptionDetailOut}

    def post(self, request: Request, pk: UUID) -> Response:
        discarded = services.discard(prescription_id=pk, by=self.by)
        return Response(shapes.PrescriptionDetailOut(discarded).data)
