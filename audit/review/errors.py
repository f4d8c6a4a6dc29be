"""What the review says no to."""

from telehealth.core.errors import Conflict, Invalid, Unavailable


class PeriodBackwards(Invalid):
    """It ends before it begins."""

    code = "period_backwards"


class SubjectUnknown(Invalid):
    """An account is named by its id."""

    code = "subject_unknown"


class DateAhead(Invalid):
    """What has not happened yet cannot be put on record."""

    code = "date_ahead"


class NotSurveyed(Conflict):
    """Nobody has counted yet who is affected."""

    code = "not_surveyed"


class IncidentDecided(Conflict):
    """The assessment stands: what it was made on is not counted anew."""

    code = "incident_decided"


class NoNoticeDue(Conflict):
    """No such notice is owed for this incident."""

    code = "no_notice_due"


class LookTooWide(Invalid):
    """What is asked of the log would read too much of it: name a patient, an actor or a shorter time."""

    code = "look_too_wide"


class ProofsUnavailable(Unavailable):
    """The published log is not here yet, or not whole: nothing can be proved now."""

    code = "proofs_unavailable"


class ArchiveUnavailable(Unavailable):
    """An archived month cannot be read now: what is in it is not known."""

    code = "archive_unavailable"


class FindingClosed(Conflict):
    """Somebody has given a verdict already: it stands."""

    code = "finding_closed"


class NoteRequired(Invalid):
    """A verdict says why, in words."""

    code = "note_required"
