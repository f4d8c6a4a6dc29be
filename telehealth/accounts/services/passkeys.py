"""Passkeys: made, and shown: as a factor beside the password, afresh, for one act, or alone to sign in."""

from datetime import datetime

from django.db import transaction

from audit.ledger import ANONYMOUS, Act, Actor, record, refuse
from telehealth.accounts.errors import PasskeyNotMade, PasskeyWrong
from telehealth.accounts.factors import account_id
from telehealth.accounts.models import Passkey, User
from telehealth.accounts.passkeys import UNANSWERED, Helper, Options, State, options_to_register
from telehealth.accounts.services.factors import may_add
from telehealth.accounts.services.telling import tell_changed
from telehealth.accounts.throttle import ADDRESS_REMEMBERED, FREE_PER_ADDRESS, Throttle
from telehealth.core import constraint, lock, now


@transaction.atomic
def start_passkey(*, by: Actor) -> tuple[Options, State]:
    """What the browser needs to make a passkey; FactorInUse or FreshFactorRequired as for any new factor."""
    lock(account_id(by))
    user = may_add(by)
    record(by, Act.FACTOR_STARTED, detail={"factor": "passkey"})
    return options_to_register(user)


@transaction.atomic
def add_passkey(*, state: State, answer: Options, name: str, by: Actor) -> datetime:
    """Keep the passkey that was made, or PasskeyNotMade. Returns when its user was verified."""
    lock(account_id(by))
    user = may_add(by)
    try:
        with constraint("accounts_passkey_credential_id_sha256_key", PasskeyNotMade):  # somebody's already
            made = Helper(name).register_complete(user, state, answer)
    except (*UNANSWERED, PasskeyNotMade):
        refuse(by, "passkey_not_made", kind=Passkey._meta.label)
        raise PasskeyNotMade from None
    record(by, Act.FACTOR_ENROLLED, made, detail={"factor": "passkey"})
    tell_changed(user)
    return now()


@transaction.atomic
def prove_passkey(*, state: State, answer: Options, by: Actor) -> datetime:
    """One's own passkey, shown for what the state is for; PasskeyWrong for anybody else's. Makes no session fresher by itself."""
    shown = _shown(state, answer, User(pk=account_id(by)), by)
    record(by, Act.FACTOR_PROVED, shown, detail={"factor": "passkey"})
    return now()


@transaction.atomic
def sign_in_with_passkey(*, state: State, answer: Options, address: str, by: Actor) -> tuple[User, datetime]:
    """Whose passkey this is, and when they were verified: two factors at once. A locked password does not matter here.

    Only answers that fail count against the network address.
    """
    from_here = Throttle("address", address, FREE_PER_ADDRESS, ADDRESS_REMEMBERED)
    from_here.attempt()
    shown = _shown(state, answer, None, ANONYMOUS)
    from_here.give_back()
    record(shown.user.actor, Act.SIGNED_IN, shown.user, detail={"factor": "passkey"})
    return shown.user, now()


def _shown(state: State, answer: Options, user: User | None, by: Actor) -> Passkey:
    try:
        shown = Helper().authenticate_complete(user, state, answer)
        if not (shown.confirmed and shown.user.is_here):
            raise ValueError("switched off")
    except UNANSWERED:
        refuse(by, "passkey_wrong", kind=Passkey._meta.label)
        raise PasskeyWrong from None
    return shown
