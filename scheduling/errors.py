from telehealth.core.errors import Conflict, Invalid, Missing


class UnknownVisitType(Invalid):
    """No visit type that is in use has this code."""

    code = "unknown_visit_type"


class UnknownPractitioner(Invalid):
    """Nobody with this id gives care here."""

    code = "unknown_practitioner"


class UnknownTimezone(Invalid):
    """Not a name of the IANA time zone database."""

    code = "unknown_timezone"


class HoursEmpty(Invalid):
    """Hours that end before they start, or on days that never come."""

    code = "hours_empty"


class RuleNotSupported(Invalid):
    """A recurrence that hours cannot have: docs/scheduling.md lists the parts that they can."""

    code = "rule_not_supported"


class RuleNeedsStart(Invalid):
    """A recurrence that counts from its first day, and no `valid_from` that says which that is."""

    code = "rule_needs_start"


class ExceptionOdd(Invalid):
    """Time off or extra hours that end before they start, last too long, or are nobody's."""

    code = "exception_odd"


class VisitTypeOdd(Invalid):
    """A visit type whose numbers make no sense, or whose code is taken."""

    code = "visit_type_odd"


class WindowOdd(Invalid):
    """A search that ends before it starts, or reaches over more days than it may."""

    code = "window_odd"


class TooSoon(Invalid):
    """In the past, or nearer than the visit type allows."""

    code = "too_soon"


class BeyondHorizon(Invalid):
    """Further ahead than the visit type allows."""

    code = "beyond_horizon"


class OutsideHours(Invalid):
    """The provider is not there for the whole of it."""

    code = "outside_hours"


class StartMisaligned(Invalid):
    """Not one of the starts that are offered."""

    code = "start_misaligned"


class DayFull(Conflict):
    """The provider has as many visits of this kind on that day as the visit type allows."""

    code = "day_full"


class SlotTaken(Conflict):
    """The provider's time is taken."""

    code = "slot_taken"


class PatientBusy(Conflict):
    """The patient has another appointment at that time."""

    code = "patient_busy"


class PatientDeceased(Conflict):
    """No visit is made with somebody who is recorded as having died."""

    code = "patient_deceased"


class AlreadyWaiting(Conflict):
    """The patient waits for such a visit with this provider already."""

    code = "already_waiting"


class NotWaiting(Conflict):
    """It has come to a booking, or its time is over."""

    code = "not_waiting"


class OfferOver(Conflict):
    """The offer was answered otherwise, or its time has run out."""

    code = "offer_over"


class StateUnknown(Invalid):
    """Nobody said in which state the patient will be, and their address names none."""

    code = "patient_state_unknown"


class NotLicensed(Conflict):
    """The provider may not practise in that state on that day."""

    code = "not_licensed"


class StepNotAllowed(Conflict):
    """As the appointment stands this cannot happen to it; the reply says how it stands."""

    code = "appointment_status"


class UnderWay(Conflict):
    """The patient is here: what happens now is the visit's to decide."""

    code = "appointment_under_way"


class HoldExpired(Conflict):
    """The time was held, and the hold ran out before it was confirmed."""

    code = "hold_expired"


class HoldOdd(Invalid):
    """A hold that would end before it begins."""

    code = "hold_odd"


class TooManyHolds(Conflict):
    """The patient has as many times held as may be at once: confirm or release one."""

    code = "too_many_holds"


class TooLateToCancel(Conflict):
    """The visit type asks for more notice than this from patients. Staff may still call it off or move it."""

    code = "too_late_to_cancel"


class TooManyCalendars(Conflict):
    """Busy times are read from as many calendars as one provider may name."""

    code = "too_many_calendars"


class LinkUnusable(Missing):
    """No answer can be given at this address, or none any more. Outside, the same as no such address."""


class OverbookingOdd(Invalid):
    """A hold, or a place in a visit of several, is never overbooked."""

    code = "overbooking_odd"


class ResourceTaken(Conflict):
    """No interpreter who will do, or no room, is free then."""

    code = "resource_taken"


class ResourceOdd(Invalid):
    """An interpreter or a room that cannot be as described, or whose account is another's."""

    code = "resource_odd"


class StaffOnly(Conflict):
    """This kind of visit is booked by staff: call the clinic."""

    code = "staff_only"


class EstablishedOnly(Conflict):
    """This kind of visit is for patients who were seen here before."""

    code = "established_only"


class NewOnly(Conflict):
    """This kind of visit is for patients who were not seen here before."""

    code = "new_only"


class NotAGroup(Invalid):
    """A visit of this kind is with one patient."""

    code = "not_a_group"


class NotPlanned(Conflict):
    """No visit of several of this kind is planned with this provider then."""

    code = "not_planned"


class GroupVisitFull(Conflict):
    """No place is left."""

    code = "group_visit_full"


class GroupVisitOver(Conflict):
    """The visit of several was called off already."""

    code = "group_visit_cancelled"


class InAGroup(Conflict):
    """A place in a visit of several does not move: cancel it and book another."""

    code = "in_a_group"


class SeriesClash(Conflict):
    """Not every visit of the series can be booked, so none is; the reply lists each that cannot, and why."""

    code = "series_clash"


class SeriesOdd(Invalid):
    """A series without an end, of one visit, or of more than 52."""

    code = "series_odd"


class ReassignmentOdd(Invalid):
    """Appointments go from a provider to others, each named once."""

    code = "reassignment_odd"
