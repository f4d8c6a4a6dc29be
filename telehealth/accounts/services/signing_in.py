"""Signing in with a password: the first of two factors."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.module_loading import import_string

from audit.ledger import Act, Actor, record, refuse
from audit.ledger.keys import keyed_hash
from telehealth.accounts import live, selectors
from telehealth.accounts.errors import SignInFailed
from telehealth.accounts.models import Session, User
from telehealth.accounts.selectors import account_of_email
from telehealth.accounts.throttle import ADDRESS_REMEMBERED, FREE_PER_ADDRESS, Throttle
from telehealth.core import now
from telehealth.vault.blind import blind


@transaction.atomic
def sign_in(*, email: str, password: str, address: str, by: Actor) -> User:
    """The account, or SignInFailed: the same answer after the same work whether or not there is such an account.

    Guesses are slowed down per account and per network address (TooManyAttempts).
    """
    subject = blind("accounts.User.email", email).hex()  # however it is written
    guesses = Throttle("password", subject)
    from_here = Throttle("address", address, FREE_PER_ADDRESS, ADDRESS_REMEMBERED)
    guesses.attempt()
    from_here.attempt()
    user = account_of_email(email)
    if user is None:
        make_password(password)  # as long as checking one
    if user is None or not user.check_password(password) or not user.is_here:
        refuse(by, "sign_in_failed", kind=User._meta.label, pk=user.pk if user else keyed_hash(subject))
        raise SignInFailed(locks=user.pk if user and guesses.locks else None)
    guesses.forgive()
    from_here.give_back()
    record(user.actor, Act.SIGNED_IN, user)
    return user


@transaction.atomic
def lock_account(*, account_id: UUID, by: Actor) -> None:
    """Ten wrong passwords or codes in a row: on record, and the person is told. The throttle is the lock; a passkey passes."""
    record(by, Act.ACCOUNT_LOCKED, User(pk=account_id))
    import_string(settings.NOTIFY)(person_id=account_id, kind="account_locked", about_id=account_id)


@transaction.atomic
def sign_out(*, by: Actor, reason: str = "asked") -> None:
    """On record why a session ended: asked, idle, absolute. The face ends it."""
    if session := selectors.session_id(by):
        Session.objects.filter(pk=session, account=by.id, ended_at=None).update(ended_at=now(), reason=reason)
        live.tell(by.account)
    record(by, Act.SIGNED_OUT, reason=reason)
