"""Second factors: enrolled, shown again and again, each code good for one act; named, renamed, removed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts import factors, totp
from telehealth.accounts.errors import CodeReplayed, CodeWrong, FactorInUse, LastFactor
from telehealth.accounts.factors import account_id
from telehealth.accounts.models import AccessToken, Passkey, TOTPDevice, User
from telehealth.accounts.services.telling import tell_changed
from telehealth.accounts.throttle import Throttle
from telehealth.core import lock, now, one
from telehealth.core.errors import Missing


def may_add(by: Actor) -> User:
    """The first factor needs the password alone; any other a fresh factor. The caller holds the account's lock."""
    user = one(User.objects.filter(is_active=True), account_id(by))
    if not factors.has_any(user.pk):
        return user
    if not factors.has_factor(by):
        refuse(by, "factor_in_use")
        raise FactorInUse
    factors.require_fresh(by)
    return user


@transaction.atomic
def start_enrolment(*, by: Actor) -> TOTPDevice:
    """The authenticator being set up in this session, always the same one until it is confirmed; no other session
    sees its seed. FactorInUse for whoever has a factor and has not shown it."""
    lock(account_id(by))  # two tabs may begin at once
    may_add(by)
    device = TOTPDevice.objects.filter(user_id=account_id(by), confirmed=False, session=by.session).first()
    if device is None:
        device = TOTPDevice.objects.create(user_id=account_id(by), seed=totp.new_seed(), session=by.session)
        record(by, Act.FACTOR_STARTED, device)
    return device


@transaction.atomic
def confirm_enrolment(*, by: Actor, code: str, name: str = "") -> datetime:
    """The first code of a new authenticator: from now on it is a second factor. Returns when it was shown."""
    lock(account_id(by))
    user = may_add(by)
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False, session=by.session).first()
    if device is None:
        raise FactorInUse
    at = _use([device], code, by)
    device.confirmed, device.name, device.session = True, name, ""
    device.save(update_fields=["confirmed", "name", "session"])
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()  # what other sessions had begun
    record(by, Act.FACTOR_ENROLLED, device, detail={"factor": "totp"})
    tell_changed(user)
    return at


@transaction.atomic
def prove(*, by: Actor, code: str) -> datetime:
    """Use up one code of one of this person's authenticators: CodeWrong, CodeReplayed or TooManyAttempts otherwise.

    A factor of its own for what asks for one (signing a prescription): it makes no session fresher by itself.
    """
    devices = list(TOTPDevice.objects.select_for_update().filter(user_id=account_id(by), confirmed=True).order_by("pk"))
    if not devices:
        refuse(by, "no_factor")
        raise CodeWrong
    at = _use(devices, code, by)
    record(by, Act.FACTOR_PROVED, detail={"factor": "totp"})
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


@transaction.atomic
def rename_factor(*, factor_id: UUID, name: str, by: Actor) -> None:
    """Another name for one of one's own factors; needs a fresh one, and the person is told."""
    user, factor = _own(factor_id, by)
    factor.name = name
    factor.save(update_fields=["name"])
    record(by, Act.FACTOR_RENAMED, factor)
    tell_changed(user)


@transaction.atomic
def remove_factor(*, factor_id: UUID, by: Actor) -> None:
    """One of one's own factors less; needs a fresh one. Never the last: LastFactor."""
    user, factor = _own(factor_id, by)
    if factors.how_many(user.pk) < 2:
        refuse(by, "last_factor", kind=factor._meta.label, pk=factor.pk)
        raise LastFactor
    record(by, Act.FACTOR_REMOVED, factor)
    factor.delete()
    tell_changed(user)


def _own(factor_id: UUID, by: Actor) -> tuple[User, Passkey | TOTPDevice]:
    factors.require_fresh(by)
    lock(account_id(by))  # two removals at once would leave none
    user = one(User.objects.filter(is_active=True), account_id(by))
    passkey = Passkey.objects.filter(user=user, pk=factor_id).first()
    found = passkey or TOTPDevice.objects.filter(user=user, pk=factor_id, confirmed=True).first()
    if found is None:
        raise Missing
    return user, found


def _use(devices: list[TOTPDevice], code: str, by: Actor) -> datetime:
    guesses = Throttle("factor", str(by.id))
    guesses.attempt()
    at = now()
    steps = [(device, totp.matching_step(device.seed, code, at)) for device in devices]
    matching = [(device, step) for device, step in steps if step is not None]
    if not matching:
        refuse(by, "code_wrong", kind=TOTPDevice._meta.label, pk=by.id)
        raise CodeWrong(locks=by.id if guesses.locks else None)
    unused = [(device, step) for device, step in matching if step > device.last_step]
    if not unused:
        guesses.give_back()
        device = matching[0][0]
        refuse(by, "code_replayed", kind=device._meta.label, pk=device.pk)
        raise CodeReplayed(reply={"next_code_at": totp.start_of(device.last_step + 1).isoformat()})
    guesses.forgive()
    device, step = unused[0]
    device.last_step, device.last_used_at = step, at
    device.save(update_fields=["last_step", "last_used_at"])
    return at
