"""What the pages say when a visit or a note refuses."""

from django.utils.translation import gettext_lazy as _

from telehealth.portal.errors import Words

WORDS: Words = {
    "not_in_this_state": _("The visit has moved on meanwhile. Look at its state and try again."),
    "visit_ended": _("This visit has ended."),
    "check_in_not_open": _("Check-in for this appointment is not open at this time."),
    "patient_deceased": _("This patient is recorded as deceased. There is no visit."),
    "provider_not_licensed_there": _("The provider has no licence for the state where you are now. Please call the clinic."),
    "location_required": _("The full address where you are now is needed: help could not find you without it."),
    "identity_not_confirmed": _("Please confirm that it is you."),
    "consent_required": _("The visit needs your consent to telehealth."),
    "note_signed": _("This note is signed and can no longer be changed."),
    "note_not_signed": _("Sign the note first; then the visit can be completed."),
    "draft_exists": _("A draft was begun in another window. Reload the page to go on with it."),
    "note_empty": _("An empty note cannot be signed."),
    "version_changed": _("The note was changed in another window. Reload the page before you go on."),
}
