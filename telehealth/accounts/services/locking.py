"""The screen lock: a session that fell idle in a visit shows nothing until its person is back."""

from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts import selectors
from telehealth.accounts.errors import SignInFailed
from telehealth.accounts.models import User
from telehealth.accounts.services.factors import prove
from telehealth.accounts.throttle import Throttle
from telehealth.vault.blind import blind


@transaction.atomic
def lock_session(*, by: Actor) -> None:
    """On record that the session was locked; the face locks it."""
    record(by, Act.SESSION_LOCKED)


@transaction.atomic
def unlock_session(*, by: Actor) -> None:
    """On record that the person is back: a factor of theirs was shown just now."""
    record(by, Act.SESSION_UNLOCKED)


@transaction.atomic
def come_back(*, code: str, password: str, by: Actor) -> None:
    """A code, or the password, of whoever the locked session belongs to (NIST SP 800-63B section 2.2.3: one factor beside
    the session's secret). SignInFailed, CodeWrong or CodeReplayed otherwise; guesses are slowed down as at the sign-in."""
    if code:
        prove(by=by, code=code)
        return
    user = selectors.account_for(by)
    guesses = Throttle("password", blind("accounts.User.email", user.email).hex())
    guesses.attempt()
    if not user.check_password(password):
        refuse(by, "sign_in_failed", kind=User._meta.label, pk=user.pk)
        raise SignInFailed(locks=user.pk if guesses.locks else None)
    guesses.forgive()
