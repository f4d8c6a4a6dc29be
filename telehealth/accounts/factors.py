"""Rules of proof: what an actor has shown, and how fresh it must be."""

from datetime import timedelta
from uuid import UUID

from audit.ledger import Actor, refuse
from telehealth.accounts.errors import ExportWaits, FreshFactorRequired, SecondFactorRequired
from telehealth.accounts.models import Passkey, TOTPDevice, User
from telehealth.core import now

FRESH = timedelta(minutes=5)


def account_id(by: Actor) -> UUID:
    """Whose factors are meant; nobody's are not."""
    if by.id is None:
        raise SecondFactorRequired
    return by.id


def has_factor(by: Actor) -> bool:
    """Whether this session or token has shown a second factor at all."""
    return by.id is not None and by.second_factor_at is not None


def is_fresh(by: Actor) -> bool:
    """Whether it did within the last five minutes."""
    return by.second_factor_at is not None and timedelta(0) <= now() - by.second_factor_at <= FRESH


def require_factor(by: Actor) -> None:
    """Refuse, on record, whoever has shown a password only."""
    if not has_factor(by):
        refuse(by, "second_factor_required")
        raise SecondFactorRequired


def require_fresh(by: Actor) -> None:
    """Refuse, on record, when the second factor is older than five minutes."""
    require_factor(by)
    if not is_fresh(by):
        refuse(by, "fresh_factor_required")
        raise FreshFactorRequired


def require_export(by: Actor) -> None:
    """A fresh factor, and no export in the 24 hours after the desk let a patient in again: ExportWaits."""
    require_fresh(by)
    until = User.objects.filter(pk=account_id(by), no_export_until__gt=now()).values_list("no_export_until", flat=True).first()
    if until is not None:
        refuse(by, "export_waits")
        raise ExportWaits(reply={"until": until.isoformat()})


def how_many(account: UUID) -> int:
    """The second factors that this person can show again and again: passkeys and authenticators, not codes on paper."""
    return Passkey.objects.filter(user_id=account).count() + TOTPDevice.objects.filter(user_id=account, confirmed=True).count()


def has_any(account: UUID) -> bool:
    """Whether this person has set up a second factor."""
    return how_many(account) > 0
