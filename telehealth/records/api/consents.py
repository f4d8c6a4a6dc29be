"""Consents to sensitive categories by REST."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from telehealth.accounts.access import Action, Resource
from telehealth.records import selectors, services, shapes
from telehealth.rest.faces import CreateFace, Face


class ConsentList(CreateFace):
    """What the patient lets others see of the sensitive categories, also what is over; and one more."""

    access = {"get": (Action.SEARCH, Resource.CONSENT), "post": (Action.CREATE, Resource.CONSENT)}
    shape_in = {"post": shapes.ConsentIn}
    shape_out = {"get": shapes.ConsentOut, "post": shapes.ConsentOut}
    paged = True

    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(selectors.consents_for(self.by, pk), shapes.ConsentOut)

    def create(self, data: dict[str, Any]) -> Any:
        return services.give_consent(patient_id=self.kwargs["pk"], **data, by=self.by)

    def find(self, pk: UUID) -> Any:
        return selectors.consent_for(self.by, self.kwargs["pk"], pk)


class ConsentWithdraw(Face):
    """From now on no longer."""

    access = (Action.ACT, Resource.CONSENT)
    shape_out = {"post": shapes.ConsentOut}

    def post(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.ConsentOut(services.withdraw_consent(consent_id=pk, by=self.by)).data)
