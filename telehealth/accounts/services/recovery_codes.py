"""Ten codes on paper, for whoever lost their factors: shown once, kept as Argon2id, each good once."""

import secrets
from base64 import b32encode
from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts import factors
from telehealth.accounts.errors import CodeWrong
from telehealth.accounts.factors import account_id
from telehealth.accounts.models import RecoveryCode, User
from telehealth.accounts.models.factors import RECOVERY_CODES
from telehealth.accounts.services.telling import tell_changed
from telehealth.accounts.throttle import Throttle
from telehealth.core import lock, now, one

SECRET_BYTES = 10  # 80 random bits, 16 characters of base32
GROUP = 4


@transaction.atomic
def make_recovery_codes(*, by: Actor) -> list[str]:
    """Ten new codes, to be shown now and never again; the earlier ones end. Needs a fresh factor."""
    factors.require_fresh(by)
    lock(account_id(by))
    user = one(User.objects.filter(is_active=True), account_id(by))
    RecoveryCode.objects.filter(user=user).delete()
    codes = [f"{slot}{b32encode(secrets.token_bytes(SECRET_BYTES)).decode()}" for slot in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, slot=int(code[0]), hashed=make_password(code)) for code in codes)
    record(by, Act.RECOVERY_CODES_MADE, user)
    tell_changed(user)
    return [_readable(code) for code in codes]


@transaction.atomic
def use_recovery_code(*, by: Actor, code: str) -> datetime:
    """One code less: a second factor, once. CodeWrong for a used one too; guesses count with those of other codes. Told by notice."""
    guesses = Throttle("factor", str(account_id(by)))
    guesses.attempt()
    typed = "".join(each for each in code.upper() if each.isalnum())
    slot = int(typed[0]) if typed[:1].isascii() and typed[:1].isdigit() else -1
    kept = RecoveryCode.objects.select_for_update().filter(user_id=account_id(by), slot=slot, used_at=None).first()
    if kept is None:
        make_password(typed)  # as long as checking one
    if kept is None or not check_password(typed, kept.hashed):
        refuse(by, "code_wrong", kind=RecoveryCode._meta.label, pk=by.id)
        raise CodeWrong
    guesses.forgive()
    kept.used_at = now()
    kept.save(update_fields=["used_at"])
    record(by, Act.RECOVERY_CODE_USED, kept)
    tell_changed(one(User.objects.filter(is_active=True), account_id(by)))
    return kept.used_at


def _readable(code: str) -> str:
    groups = [code[at : at + GROUP] for at in range(1, len(code), GROUP)]
    return "-".join([code[0], *groups])
