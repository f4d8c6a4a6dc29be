"""What the pages say when records refuse."""

from django.utils.translation import gettext_lazy as _

from telehealth.portal.errors import Words
from telehealth.records.labels import Category

CATEGORIES = {
    Category.PSYCHOTHERAPY: _("Psychotherapy notes"),
    Category.SUBSTANCE_USE: _("Substance use"),
    Category.SEXUAL_HEALTH: _("Sexual and reproductive health"),
    Category.HIV: _("HIV"),
    Category.MINORS_SERVICES: _("What a minor may decide alone"),
}

WORDS: Words = {
    "malformed_bundle": _("This file is not a FHIR bundle that can be read."),
    "not_a_transaction_bundle": _("This file is not a FHIR transaction bundle."),
    "bundle_too_deep": _("This file is nested more deeply than a health record needs."),
    "bundle_too_large": _("This file is too large for this page. The operator can import it by a command."),
    "patient_missing": _("The bundle names no patient."),
    "several_patients": _("The bundle names several patients. Import each patient's record by itself."),
    "full_url_twice": _("Two entries of the bundle claim the same address."),
    "identifiers_disagree": _("The identifiers in the bundle belong to different people here. Ask the privacy officer."),
    "fresh_factor_required": _("Confirm with your second factor first."),
    "nothing_to_search_for": _("Enter a name, a number or a birth date to look for."),
    "search_too_wide": _("Too many patients fit. Enter more of what you know."),
    "guardian_required": _("This patient is a minor: invite a guardian."),
    "not_staff": _("This is no account of somebody who works here."),
    "identity_unchecked": _(
        "This patient has an account. To let them in again, check two identifiers, call back the number on record, and say so here."
    ),
    "consent_text_unknown": _("The text of this consent has changed meanwhile. Reload the page and read it again."),
    "recipient_unclear": _("Choose for whom this is, and an end that is still to come."),
    "account_taken": _("This account belongs to another patient."),
}
