"""Second factors: enrolled once, shown again and again, each code good for one act."""

from datetime import datetime

from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts import totp
from telehealth.accounts.errors import CodeReplayed, CodeWrong, FactorInUse
from telehealth.accounts.factors import account_id
from telehealth.accounts.models import AccessToken, TOTPDevice
from telehealth.accounts.throttle import Throttle
from telehealth.core import lock, now


@transaction.atomic
def start_enrolment(*, by: Actor) -> TOTPDevice:
    """The authenticator being set up, always the same one until it is confirmed; FactorInUse once one is."""
    lock(account_id(by))  # two tabs may begin at once
    if TOTPDevice.objects.filter(user_id=account_id(by), confirmed=True).exists():
        refuse(by, "factor_in_use")
        raise FactorInUse
    device = TOTPDevice.objects.filter(user_id=account_id(by), confirmed=False).first()
    if device is None:
        device = TOTPDevice.objects.create(user_id=account_id(by), seed=totp.new_seed())
        record(by, Act.FACTOR_STARTED, device)
    return device


@transaction.atomic
def confirm_enrolment(*, by: Actor, code: str) -> datetime:
    """The first code of a new authenticator: from now on it is the second factor. Returns when it was shown."""
    device = TOTPDevice.objects.select_for_update().filter(user_id=account_id(by), confirmed=False).first()
    if device is None or TOTPDevice.objects.filter(user_id=account_id(by), confirmed=True).exists():
        raise FactorInUse
    at = _use(device, code, by)
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    record(by, Act.FACTOR_ENROLLED, device)
    return at


@transaction.atomic
def prove(*, by: Actor, code: str) -> datetime:
    """Use up one code of this person's authenticator: CodeWrong, CodeReplayed or TooManyAttempts otherwise.

    A factor of its own for what asks for one (signing a prescription): it makes no session fresher by itself.
    """
    device = TOTPDevice.objects.select_for_update().filter(user_id=account_id(by), confirmed=True).first()
    if device is None:
        refuse(by, "no_factor")
        raise CodeWrong
    at = _use(device, code, by)
    record(by, Act.FACTOR_PROVED, device)
    return at


@transaction.atomic
def step_up_app(*, by: Actor, token: AccessToken, at: datetime) -> None:
    """The app's token, and those that will be refreshed from it, carry a factor shown at this time."""
    token.factor_at = at
    token.save(update_fields=["factor_at"])
    if refresh := getattr(token, "refresh_token", None):
        refresh.factor_at = at
        refresh.save(update_fields=["factor_at"])
    record(by, Act.APP_STEPPED_UP, detail={"client": by.client})


def _use(device: TOTPDevice, code: str, by: Actor) -> datetime:
    guesses = Throttle("factor", str(by.id))
    guesses.attempt()
    at = now()
    step = totp.matching_step(device.seed, code, at)
    if step is None:
        refuse(by, "code_wrong", kind=device._meta.label, pk=device.pk)
        raise CodeWrong
    if step <= device.last_step:
        guesses.give_back()
        refuse(by, "code_replayed", kind=device._meta.label, pk=device.pk)
        raise CodeReplayed(reply={"next_code_at": totp.start_of(device.last_step + 1).isoformat()})
    guesses.forgive()
    device.last_step = step
    device.save(update_fields=["last_step"])
    return at
