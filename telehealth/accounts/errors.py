"""What this app refuses."""

from datetime import datetime
from math import ceil
from typing import ClassVar

from telehealth.core import now
from telehealth.core.errors import Conflict, Invalid, Missing, Unproven

ACR = "urn:telehealth:acr:two-factors"  # the one way in which people sign in here


class SignInFailed(Invalid):
    """Unknown account, wrong password, switched-off account: outside, all the same."""

    code = "sign_in_failed"


class PasswordTooWeak(Invalid):
    """Shorter than 12 characters, too common, or one's own e-mail address. `reply["reasons"]`: codes."""

    code = "password_too_weak"


class SecondFactorRequired(Unproven):
    """Nothing is shown before two factors."""

    code = "second_factor_required"


class FreshFactorRequired(Unproven):
    """The second factor was shown too long ago for this."""

    code = "fresh_factor_required"
    challenge: ClassVar[str] = f'error="insufficient_user_authentication", acr_values="{ACR}", max_age="300"'  # RFC 9470


class SessionLocked(Unproven):
    """Nobody was there for too long while a visit went on: the person shows a factor first."""

    code = "session_locked"


class CodeWrong(Unproven):
    """Not a code of this person's authenticator at this time; or they have none."""

    code = "code_wrong"


class CodeReplayed(Conflict):
    """A code is good once. `reply["next_code_at"]`: from when on the authenticator shows the next one."""

    code = "code_replayed"


class TooManyAttempts(Conflict):
    """Guessing is slowed down. `reply["retry_at"]`: when the next attempt is heard."""

    code = "too_many_attempts"

    @property
    def retry_after(self) -> int:
        """The same in seconds from now."""
        at = datetime.fromisoformat(str(self.reply["retry_at"]))
        return max(1, ceil((at - now()).total_seconds()))


class FactorInUse(Conflict):
    """There is a confirmed authenticator already; it is not replaced by whoever has the password alone."""

    code = "factor_in_use"


class InvitationUnusable(Missing):
    """Forged, used, expired or superseded: outside, all the same."""

    code = "invitation_unusable"


class StaffOnly(Invalid):
    """Patients' accounts are not made, moved or reset by administrators."""

    code = "staff_only"


class SignInFirst(Unproven):
    """The invitation's address has an account: whose it is accepts with both factors shown, and keeps them."""

    code = "sign_in_first"


class EmailTaken(Conflict):
    """Another account signs in with this address."""

    code = "email_taken"


class PasskeyWrong(Unproven):
    """Not a passkey of this person, not for this, or not verified by them."""

    code = "passkey_wrong"


class PasskeyNotMade(Invalid):
    """What the authenticator answered is no new passkey that verified its user, made for this page just now."""

    code = "passkey_not_made"


class LastFactor(Conflict):
    """The last second factor is not removed."""

    code = "last_factor"


class EmailChangeUnusable(Missing):
    """Forged, used, expired, or overtaken by a recovery: outside, all the same."""

    code = "email_change_unusable"


class ExportWaits(Unproven):
    """The account was recovered through the desk: nothing is exported for 24 hours. `reply["until"]`."""

    code = "export_waits"


class RedirectUnusable(Invalid):
    """Codes are sent to https addresses and to schemes of apps that are domain names turned round; nowhere else."""

    code = "redirect_unusable"


class RoleAsked(Conflict):
    """Another request for a role of this person waits: approve or withdraw that one first."""

    code = "role_asked"


class RolePeriodUnusable(Invalid):
    """A role that would be over before it began."""

    code = "role_period_unusable"


class RoleMissing(Conflict):
    """The account has no role that stands: it is switched on by granting one."""

    code = "role_missing"


class ResetAsked(Conflict):
    """A reset of this person waits already."""

    code = "reset_asked"
