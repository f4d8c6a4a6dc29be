"""Appointment.status as FHIR R4 writes it, and the steps it may take. Pure values."""

from collections.abc import Mapping

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class Status(TextChoices):
    """FHIR R4 AppointmentStatus, all of it: later work holds (pending) and waits (waitlist)."""

    PROPOSED = "proposed", _("Proposed")
    PENDING = "pending", _("Pending")
    BOOKED = "booked", _("Booked")
    ARRIVED = "arrived", _("Arrived")
    CHECKED_IN = "checked-in", _("Checked in")
    FULFILLED = "fulfilled", _("Fulfilled")
    CANCELLED = "cancelled", _("Cancelled")
    NO_SHOW = "noshow", _("Did not come")
    ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")
    WAITLIST = "waitlist", _("On the waiting list")


class CancelReason(TextChoices):
    """FHIR appointment-cancellation-reason, the codes that say enough and tell no diagnosis."""

    PATIENT = "pat", _("The patient asked")
    PATIENT_FEELS_BETTER = "pat-fb", _("The patient feels better")
    PATIENT_DECEASED = "pat-dec", _("The patient has died")
    PROVIDER = "prov", _("The provider asked")
    MAINTENANCE = "maint", _("Equipment or maintenance")
    MISTAKE = "oth-err", _("Booked by mistake")
    WEATHER = "oth-weath", _("Weather")
    HOLD_EXPIRED = "hold-expired", _("Held, and not confirmed in time")  # ours: the time was promised and let go
    HOLD_RELEASED = "hold-released", _("Held, and let go")  # ours
    SERIES = "series", _("Its series was called off")  # ours
    OTHER = "other", _("Another reason")


class Need(TextChoices):
    """What a visit may take beside its provider and patient."""

    INTERPRETER = "interpreter", _("Interpreter")
    ROOM = "room", _("Room")


class PartyKind(TextChoices):
    """Whose time an Occupancy row takes."""

    PROVIDER = "provider", _("Provider")
    PATIENT = "patient", _("Patient")
    INTERPRETER = "interpreter", _("Interpreter")
    ROOM = "room", _("Room")


class OverbookCode(TextChoices):
    """Why staff put a visit where the provider has no free time."""

    URGENT = "urgent", _("It cannot wait")
    FOLLOW_UP = "follow-up", _("A short follow-up")
    PROVIDER_ASKED = "provider-asked", _("The provider asked for it")
    OTHER = "other", _("Another reason")


class WaitlistStatus(TextChoices):
    """How somebody on the waiting list stands."""

    WAITING = "waiting", _("Waiting")
    OFFERED = "offered", _("A time is held for them")
    BOOKED = "booked", _("Booked")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("The time has passed")


class OfferState(TextChoices):
    """What became of a time that was offered."""

    OPEN = "open", _("Open")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Not answered in time")


class Urgency(IntegerChoices):
    """How soon; the most urgent come first."""

    URGENT = 0, _("Urgent")
    SOON = 1, _("Soon")
    ROUTINE = 2, _("Routine")


class PartOfDay(TextChoices):
    """As slot search cuts the day."""

    MORNING = "morning", _("Morning")
    AFTERNOON = "afternoon", _("Afternoon")
    EVENING = "evening", _("Evening")


HOLDING = (Status.PENDING, Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN)
"""While an appointment stands so, the parties' time is taken; the database holds us to it."""

STEPS: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.BOOKED, Status.CANCELLED}),
    Status.BOOKED: frozenset({Status.ARRIVED, Status.CANCELLED, Status.NO_SHOW}),
    Status.ARRIVED: frozenset({Status.FULFILLED, Status.CANCELLED, Status.NO_SHOW}),
}


def may_step(before: str, after: Status) -> bool:
    """Whether an appointment that stands at `before` may come to stand at `after`. Nothing leaves an end."""
    return after in STEPS.get(Status(before), ())
