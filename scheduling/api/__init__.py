"""What can be booked, and appointments, by REST."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from audit.ledger import together
from scheduling import selectors, services, shapes
from scheduling.errors import HoldOdd
from scheduling.models import Appointment
from scheduling.selectors import SlotPage
from scheduling.spans import moment
from scheduling.statuses import Status
from telehealth.accounts.access import Action, Resource
from telehealth.core import now
from telehealth.rest.errors import CursorInvalid
from telehealth.rest.faces import CreateFace, Face
from telehealth.rest.idempotency import Claim
from telehealth.rest.paging import address_after, limit_of, mark_of
from telehealth.rest.shapes import Nothing

ORDER = "starts_at,practitioner"


class VisitTypeList(Face):
    """What can be booked here."""

    access = (Action.SEARCH, Resource.VISIT_TYPE)
    shape_out = {"get": shapes.VisitTypeOut}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.visit_types(), shapes.VisitTypeOut, order="code")


class SlotList(Face):
    """Times that can be booked for a visit type: from now for a week unless told, at most 31 days.

    A patient is offered nothing that clashes with an appointment of their own; who books for somebody names the patient
    and gets the same. `per_day` counts the whole search, by the days of `zone`.
    """

    access = (Action.SEARCH, Resource.SLOT)
    shape_query = shapes.SlotQuery
    shape_out = {"get": shapes.SlotsOut}

    def get(self, request: Request) -> Response:
        asked = self.asked(shapes.SlotQuery)
        found = selectors.slots(self.by, **asked, after=self.mark(), limit=limit_of(request))
        return Response({"results": self.offers(found), "per_day": found.per_day, "next": self.following(found)})

    def mark(self) -> tuple[int, int] | None:
        """From which offer to go on."""
        mark = mark_of(self.request, ORDER)
        try:
            return (int(mark[0]), UUID(mark[1]).int) if mark else None
        except (ValueError, IndexError) as error:
            raise CursorInvalid from error

    def following(self, found: SlotPage) -> str | None:
        if found.following is None:
            return None
        start, provider = found.following
        return address_after(self.request, ORDER, [str(start), str(UUID(int=provider))])

    def offers(self, found: SlotPage) -> list[dict[str, Any]]:
        """As `SlotOut` shows them; a hundred at a time by hand, for the serializer would take longer than the search."""
        length = timedelta(seconds=found.length)
        times = ((UUID(int=provider), moment(start)) for start, provider in found.offers)
        return [{"practitioner": provider, "starts_at": at, "ends_at": at + length} for provider, at in times]


class AppointmentList(CreateFace):
    """The appointments that the caller may see, in order of time; booking one, or with the status `pending` holding its time.

    A start that is not offered is refused (400 `too_soon`, `beyond_horizon`, `outside_hours`, `start_misaligned`), and so is
    one that somebody else took meanwhile (409 `slot_taken`, `patient_busy`). 409 `patient_deceased`, `not_licensed`;
    400 `patient_state_unknown`.
    """

    access = {"get": (Action.SEARCH, Resource.APPOINTMENT), "post": (Action.CREATE, Resource.APPOINTMENT)}
    shape_in = {"post": shapes.BookIn}
    shape_out = {"get": shapes.AppointmentOut, "post": shapes.AppointmentDetail}
    shape_query = shapes.AppointmentQuery
    paged = True

    def get(self, request: Request) -> Response:
        found = selectors.appointments_for(self.by, **self.asked(shapes.AppointmentQuery))
        return self.page(found, shapes.AppointmentOut, order="starts_at")

    def once(self, claim: Claim | None, data: dict[str, Any]) -> Response:
        """In one transaction with what is shown of it, so that reading it is one more row of its entries, and no INSERT of its own."""
        with transaction.atomic(), together():
            return super().once(claim, data)

    def create(self, data: dict[str, Any]) -> Appointment:
        over = data.pop("overbooking", None)
        if data.pop("status") == Status.PENDING:
            if over:
                raise HoldOdd()
            return services.hold(**data, until=now() + timedelta(minutes=settings.HOLD_MINUTES), by=self.by)
        overbooking = services.Overbooking(**over) if over else None
        return services.book(**data, overbooking=overbooking, by=self.by)

    def find(self, pk: UUID) -> Appointment:
        return selectors.appointment_for(self.by, pk)

    def show(self, made: Appointment) -> dict[str, Any]:
        return shapes.AppointmentDetail(made).data


class AppointmentOne(Face):
    """One appointment."""

    access = (Action.READ, Resource.APPOINTMENT)
    shape_out = {"get": shapes.AppointmentDetail}

    def get(self, request: Request, pk: UUID) -> Response:
        found = selectors.appointment_for(self.by, pk)
        self.etag(found.version)
        return Response(shapes.AppointmentDetail(found).data)


class AppointmentCancel(Face):
    """Call it off. 409 `appointment_status` when it is over or cancelled already, `appointment_under_way` once the patient is here,
    `too_late_to_cancel` from the patient's side where the visit type refuses that.
    """

    access = (Action.ACT, Resource.APPOINTMENT)
    shape_in = {"post": shapes.CancelIn}
    shape_out = {"post": shapes.AppointmentOut}

    def post(self, request: Request, pk: UUID) -> Response:
        return _shown(services.cancel(appointment_id=pk, **self.given(shapes.CancelIn), by=self.by))


class AppointmentConfirm(Face):
    """What was held is booked. A repeat changes nothing. 409 `hold_expired` once its time ran out, else `appointment_status`."""

    access = (Action.ACT, Resource.APPOINTMENT)
    shape_in = {"post": Nothing}
    shape_out = {"post": shapes.AppointmentOut}

    def post(self, request: Request, pk: UUID) -> Response:
        return _shown(services.confirm(appointment_id=pk, **self.given(Nothing), by=self.by))


class AppointmentRelease(Face):
    """What was held is let go. A repeat changes nothing; 409 `appointment_status` for what was no hold."""

    access = (Action.ACT, Resource.APPOINTMENT)
    shape_in = {"post": Nothing}
    shape_out = {"post": shapes.AppointmentOut}

    def post(self, request: Request, pk: UUID) -> Response:
        return _shown(services.release_hold(appointment_id=pk, **self.given(Nothing), by=self.by))


class AppointmentReschedule(Face):
    """The same appointment at another time, or with another provider: all of it or nothing, under `If-Match`.

    Refused as booking is refused; and 409 `appointment_status`, `appointment_under_way`, `too_late_to_cancel`; 412, 428.
    """

    access = (Action.ACT, Resource.APPOINTMENT)
    shape_in = {"post": shapes.RescheduleIn}
    shape_out = {"post": shapes.AppointmentOut}

    def post(self, request: Request, pk: UUID) -> Response:
        given = self.given(shapes.RescheduleIn)
        moved = services.reschedule(appointment_id=pk, **given, version=self.expected(), by=self.by)
        self.etag(moved.version)
        return _shown(moved)


def _shown(appointment: Appointment) -> Response:
    return Response(shapes.AppointmentOut(appointment).data)
