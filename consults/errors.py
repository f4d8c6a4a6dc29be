"""Facts of visits and notes."""

from telehealth.core.errors import Conflict, Invalid, Unproven


class NotInThisState(Conflict):
    """The visit's machines have no such step now."""

    code = "not_in_this_state"


class VisitEnded(Conflict):
    code = "visit_ended"


class CheckInNotOpen(Conflict):
    """Too early, or long past the appointment."""

    code = "check_in_not_open"


class PatientDeceased(Conflict):
    code = "patient_deceased"


class NotLicensedThere(Conflict):
    """The provider may not practise in the state where the patient is now."""

    code = "provider_not_licensed_there"


class LocationRequired(Invalid):
    """No address, no visit."""

    code = "location_required"


class IdentityNotConfirmed(Invalid):
    code = "identity_not_confirmed"


class ConsentRequired(Invalid):
    """A consent is missing, or given to another version of its text."""

    code = "consent_required"


class NoteSigned(Conflict):
    """A signed note never changes; write an addendum."""

    code = "note_signed"


class NoteNotSigned(Conflict):
    """An addendum amends, and a visit completes with, a signed note only."""

    code = "note_not_signed"


class DraftExists(Conflict):
    """This author has an unsigned draft in this visit already."""

    code = "draft_exists"


class NoteEmpty(Invalid):
    code = "note_empty"


class TicketInvalid(Unproven):
    """Unknown, used, expired, or of another visit or an earlier sign-in: which, nobody learns."""

    code = "ticket_invalid"
