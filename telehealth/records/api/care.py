"""Care relationships, cover, hand-over, and who acts for a patient, by REST."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from telehealth.accounts.access import Action, Resource
from telehealth.records import selectors, services, shapes
from telehealth.rest.faces import CreateFace, Face


class CareList(CreateFace):
    """Who cares for the patient, or did. POST assigns a practitioner from now on."""

    access = {"get": (Action.SEARCH, Resource.CARE_RELATIONSHIP), "post": (Action.CREATE, Resource.CARE_RELATIONSHIP)}
    shape_in = {"post": shapes.CareIn}
    shape_out = {"get": shapes.CareOut, "post": shapes.CareOut}
    paged = True

    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(selectors.care_for(self.by, pk), shapes.CareOut)

    def create(self, data: dict[str, Any]) -> Any:
        return services.assign_care(
            patient_id=self.kwargs["pk"], practitioner_id=data["practitioner"], ends_at=data.get("ends_at"), by=self.by
        )

    def find(self, pk: UUID) -> Any:
        return selectors.one_care_for(self.by, self.kwargs["pk"], pk)


class CareEnd(Face):
    """An assignment ends now."""

    access = (Action.DELETE, Resource.CARE_RELATIONSHIP)
    shape_out = {"delete": shapes.CareOut}

    def delete(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.CareOut(services.end_assignment(care_id=pk, by=self.by)).data)


class CoveringList(CreateFace):
    """Who stands in for a practitioner. POST arranges it."""

    access = {"get": (Action.SEARCH, Resource.PANEL), "post": (Action.ACT, Resource.PANEL)}
    shape_in = {"post": shapes.CoveringIn}
    shape_out = {"get": shapes.CoveringOut, "post": shapes.CoveringOut}
    paged = True

    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(selectors.coverings_for(self.by, pk), shapes.CoveringOut)

    def create(self, data: dict[str, Any]) -> Any:
        named = {"covered_id": self.kwargs["pk"], "covering_id": data["covering"]}
        return services.cover(**named, starts_at=data["starts_at"], ends_at=data["ends_at"], by=self.by)

    def find(self, pk: UUID) -> Any:
        return selectors.one_covering_for(self.by, self.kwargs["pk"], pk)


class CoveringEnd(Face):
    """Standing in ends now."""

    access = (Action.ACT, Resource.PANEL)
    shape_out = {"delete": shapes.CoveringOut}

    def delete(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.CoveringOut(services.end_covering(covering_id=pk, by=self.by)).data)


class HandOver(Face):
    """Everybody assigned to one practitioner is assigned to another: counted first, then done."""

    access = (Action.ACT, Resource.PANEL)
    shape_in = {"post": shapes.HandOverIn}
    shape_out = {"post": shapes.HandOverOut}

    def post(self, request: Request, pk: UUID) -> Response:
        given = self.given(shapes.HandOverIn)
        count = services.hand_over(from_id=pk, to_id=given["to"], dry_run=given["dry_run"], by=self.by)
        return Response(shapes.HandOverOut({"patients": count, "done": not given["dry_run"]}).data)


class ProxyList(CreateFace):
    """Who acts for the patient. POST lets another adult do so, under their own sign-in."""

    access = {"get": (Action.SEARCH, Resource.PROXY_GRANT), "post": (Action.CREATE, Resource.PROXY_GRANT)}
    shape_in = {"post": shapes.ProxyIn}
    shape_out = {"get": shapes.ProxyOut, "post": shapes.ProxyOfferOut}
    paged = True

    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(selectors.grants_for(self.by, pk), shapes.ProxyOut)

    def create(self, data: dict[str, Any]) -> Any:
        return services.delegate(patient_id=self.kwargs["pk"], **data, by=self.by)

    def find(self, pk: UUID) -> Any:
        return selectors.offer_for(self.by, self.kwargs["pk"], pk)


class ProxyEnd(Face):
    """Somebody acts for the patient no longer: by the patient, a guardian, the desk, or by themselves."""

    access = (Action.DELETE, Resource.PROXY_GRANT)
    shape_out = {"delete": shapes.ProxyOut}

    def delete(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.ProxyOut(services.revoke_proxy(grant_id=pk, by=self.by)).data)
