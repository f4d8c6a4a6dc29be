"""The waiting list by REST: joining and leaving it, and answering what is offered."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from scheduling import selectors, services
from scheduling import shapes_waitlist as shapes
from scheduling.models import WaitlistEntry, WaitlistOffer
from telehealth.accounts.access import Action, Resource
from telehealth.rest.faces import CreateFace, Face
from telehealth.rest.shapes import Nothing


class WaitlistList(CreateFace):
    """Who waits that the caller may see, the newest first; POST joins. 409 `already_waiting`, `patient_deceased`,
    `staff_only`, `established_only`, `new_only`; 400 `window_odd`,
    `unknown_visit_type`, `unknown_practitioner`, `patient_state_unknown`."""

    access = {"get": (Action.SEARCH, Resource.WAITLIST), "post": (Action.CREATE, Resource.WAITLIST)}
    shape_in = {"post": shapes.JoinIn}
    shape_out = {"get": shapes.WaitlistOut, "post": shapes.WaitlistDetail}
    shape_query = shapes.WaitlistQuery
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.waitlist_for(self.by, **self.asked(shapes.WaitlistQuery)), shapes.WaitlistOut)

    def create(self, data: dict[str, Any]) -> WaitlistEntry:
        return services.join_waitlist(**data, by=self.by)

    def find(self, pk: UUID) -> WaitlistEntry:
        return selectors.waitlist_entry_for(self.by, pk)

    def show(self, made: WaitlistEntry) -> dict[str, Any]:
        return shapes.WaitlistDetail(made).data


class WaitlistOne(Face):
    """One who waits, what they said, and the time that is held for them."""

    access = (Action.READ, Resource.WAITLIST)
    shape_out = {"get": shapes.WaitlistDetail}

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.WaitlistDetail(selectors.waitlist_entry_for(self.by, pk)).data)


class WaitlistLeave(Face):
    """Wait no longer; a held time is let go. 409 `not_waiting` once it has come to a booking."""

    access = (Action.ACT, Resource.WAITLIST)
    shape_in = Nothing
    shape_out = {"post": shapes.WaitlistOut}

    def post(self, request: Request, pk: UUID) -> Response:
        self.given(Nothing)
        services.leave_waitlist(entry_id=pk, by=self.by)
        return Response(shapes.WaitlistOut(selectors.waitlist_entry_for(self.by, pk)).data)


class _Answer(Face, abstract=True):
    """The offer is named, and not who waits: what was meant for one start is no answer to the next."""

    shape_in = Nothing
    service: ClassVar[Callable[..., WaitlistOffer]]

    def post(self, request: Request, pk: UUID) -> Response:
        self.given(Nothing)
        answered = type(self).service(offer_id=pk, by=self.by)
        return Response(shapes.WaitlistOut(selectors.waitlist_entry_for(self.by, answered.entry_id)).data)


class OfferAccept(_Answer):
    """Take the time that is held. 409 `offer_over`, `hold_expired`."""

    access = (Action.ACT, Resource.WAITLIST)
    shape_out = {"post": shapes.WaitlistOut}
    service = staticmethod(services.accept_offer)


class OfferDecline(_Answer):
    """Leave the time to the next one, and wait on for another. 409 `offer_over`."""

    access = (Action.ACT, Resource.WAITLIST)
    shape_out = {"post": shapes.WaitlistOut}
    service = staticmethod(services.decline_offer)
