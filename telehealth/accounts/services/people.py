"""Accounts come, are recovered, are switched off."""

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from audit.ledger import SYSTEM, Act, Actor, record
from telehealth.accounts.access import Role
from telehealth.accounts.errors import EmailTaken, PasswordTooWeak, RoleMissing
from telehealth.accounts.factors import require_fresh
from telehealth.accounts.models import EmailChange, Invitation, Passkey, RecoveryCode, TOTPDevice, User
from telehealth.accounts.services.roles import standing, take_up
from telehealth.accounts.services.sessions import close_everything
from telehealth.accounts.services.telling import tell_changed
from telehealth.core import constraint, now, one

NO_EXPORT = timedelta(hours=24)  # after a patient was let in again


def forget_factors(account_id: UUID, using: str = "default") -> None:
    """Nothing that was a second factor is one any more; no change of the address waits."""
    for model in (Passkey, TOTPDevice, RecoveryCode, EmailChange):
        model.objects.using(using).filter(user_id=account_id).delete()


def check_strength(password: str, email: str) -> None:
    """Twelve characters or more, not common, not the address itself; else PasswordTooWeak."""
    if password.casefold().strip() == email.casefold().strip():
        raise PasswordTooWeak(reply={"reasons": ["password_is_email"]})
    try:
        validate_password(password)
    except ValidationError as weak:
        raise PasswordTooWeak(reply={"reasons": [str(error.code) for error in weak.error_list]}) from None


@transaction.atomic
def create_account(*, email: str, role: Role, by: Actor, password: str, name: str = "", invitation: Invitation | None = None) -> User:
    """A new account with a password and no second factor yet, or EmailTaken. Staff have the role that was approved with
    their invitation; without one it is the operator who gives it."""
    check_strength(password, email)
    user = User(email=email, role=role, name=name)
    user.set_password(password)
    with constraint("accounts_user_email_index_key", EmailTaken, "accounts_user_email_index_next_key"):
        user.save()
    record(by, Act.ACCOUNT_CREATED, user, detail={"role": str(role)})
    take_up(user, invitation, by)
    return user


@transaction.atomic
def recover(*, account_id: UUID, email: str, role: Role, password: str, by: Actor) -> User:
    """A new password; factors removed; every session and app signed out. The address may change with it.

    A proxy who becomes a patient keeps what was delegated; nobody else's role changes.
    """
    check_strength(password, email)
    user = one(User.objects.select_for_update().filter(is_active=True), account_id)
    tell_changed(user)
    user.set_password(password)
    user.email = email
    if user.role == Role.PROXY and role == Role.PATIENT:
        user.role = Role.PATIENT
    if user.is_patient_side:
        user.no_export_until = now() + NO_EXPORT
    with constraint("accounts_user_email_index_key", EmailTaken, "accounts_user_email_index_next_key"):
        user.save(update_fields=["password", "email", "role", "no_export_until"])
    forget_factors(user.pk)
    user.epoch = close_everything(account_id=user.pk, reason="recovered", by=by).epoch
    record(by, Act.ACCOUNT_RECOVERED, user)
    return user


@transaction.atomic
def switch_off(*, account_id: UUID, by: Actor) -> User:
    """No sign-in, no session, no app from now on. The account stays, for history names it. Needs a fresh factor of who does it."""
    _fresh(by)
    user = one(User.objects.select_for_update(), account_id)
    user.is_active = False
    user.save(update_fields=["is_active"])
    user.epoch = close_everything(account_id=user.pk, reason="switched_off", by=by).epoch
    record(by, Act.ACCOUNT_SWITCHED_OFF, user)
    return user


@transaction.atomic
def switch_on(*, account_id: UUID, by: Actor) -> User:
    """The account may sign in again, with the password and factor it had. Needs a fresh factor; RoleMissing for staff whose
    role has ended."""
    _fresh(by)
    user = one(User.objects.select_for_update(), account_id)
    if not user.is_patient_side and not standing().filter(account=user).exists():
        raise RoleMissing
    user.is_active = True
    user.save(update_fields=["is_active"])
    record(by, Act.ACCOUNT_SWITCHED_ON, user)
    return user


def _fresh(by: Actor) -> None:
    """Of a person; the operator's command and the clock have no factors."""
    if by != SYSTEM:
        require_fresh(by)
