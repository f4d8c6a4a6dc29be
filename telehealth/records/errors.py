from telehealth.core.errors import Conflict, Invalid


class MalformedBundle(Invalid):
    """Not a JSON document of the expected shape."""

    code = "malformed_bundle"


class NotATransaction(Invalid):
    """Not a Bundle, or one of another type."""

    code = "not_a_transaction_bundle"


class TooDeep(Invalid):
    """Nested beyond what any resource needs."""

    code = "bundle_too_deep"


class NoPatient(Invalid):
    """A bundle is imported into one patient's record, and this one names nobody."""

    code = "patient_missing"


class SeveralPatients(Invalid):
    """One bundle, one patient: two would mix their records."""

    code = "several_patients"


class SameFullUrlTwice(Invalid):
    """Two entries claim one address."""

    code = "full_url_twice"


class NothingToSearch(Invalid):
    """A search needs something to look for."""

    code = "nothing_to_search_for"


class IdentifiersDisagree(Conflict):
    """The identifiers lead to different people, or to one with another name and birth date."""

    code = "identifiers_disagree"


class GuardianRequired(Conflict):
    """A minor does not accept an invitation: a guardian does."""

    code = "guardian_required"


class IdentityUnchecked(Conflict):
    """There is an account: who asks to be let in again shows two identifiers and is called back at the number on record."""

    code = "identity_unchecked"


class AccountTaken(Conflict):
    """This account is another patient's own already."""

    code = "account_taken"


class SearchTooWide(Invalid):
    """Hundreds fit: something more must be known."""

    code = "search_too_wide"


class NotStaff(Invalid):
    """No account of somebody who works here."""

    code = "not_staff"


class ConsentTextUnknown(Invalid):
    """Consent is given to a text that stands. `reply["text_version"]`: the one that stands now."""

    code = "consent_text_unknown"


class RecipientUnclear(Invalid):
    """One practitioner, one role, or everybody in care; and a consent ends after it begins."""

    code = "recipient_unclear"


class NoAccount(Conflict):
    """The patient has no account: nothing is sent to them, so there is nothing to choose."""

    code = "no_account"


class LegalHoldStands(Conflict):
    """The record must be kept: a legal hold stands."""

    code = "legal_hold_stands"


class ActsForOthers(Conflict):
    """The person's account acts for somebody else: end those grants first."""

    code = "acts_for_others"


class StillNeeded(Conflict):
    """Something that is agreed on or owed needs the record: an appointment that stands, an accounting of disclosures."""

    code = "record_still_needed"


class DestructionAsked(Conflict):
    """It has been asked for already, and not withdrawn."""

    code = "destruction_asked"


class NotApproved(Conflict):
    """Nobody asked, nobody else approved, or the ledger does not bear it out."""

    code = "destruction_not_approved"


class LicenseOdd(Invalid):
    """No state, no basis that we know, a last day before the first, or there already."""

    code = "license_odd"


class PeriodUnusable(Invalid):
    """A time that is over, ends before it starts, or is somebody's own."""

    code = "period_unusable"
