"""One's own password and e-mail address: changed behind a fresh factor, and told to the address that stood before."""

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts import factors
from telehealth.accounts.errors import EmailChangeUnusable, EmailTaken, SignInFailed
from telehealth.accounts.factors import account_id
from telehealth.accounts.models import EmailChange, User
from telehealth.accounts.selectors import account_of_email, open_email_change
from telehealth.accounts.services.people import check_strength
from telehealth.accounts.services.sessions import close_everything
from telehealth.accounts.services.telling import tell_changed
from telehealth.accounts.throttle import Throttle
from telehealth.core import constraint, now, one
from telehealth.vault.blind import blind


@transaction.atomic
def change_password(*, current: str, password: str, by: Actor) -> User:
    """A new password; every session and app of before ends. SignInFailed when `current` is not the one there is."""
    factors.require_fresh(by)
    user = one(User.objects.select_for_update().filter(is_active=True), account_id(by))
    guesses = Throttle("password", blind("accounts.User.email", user.email).hex())
    guesses.attempt()
    if not user.check_password(current):
        refuse(by, "sign_in_failed", kind=User._meta.label, pk=user.pk)
        raise SignInFailed
    guesses.forgive()
    check_strength(password, user.email)
    user.set_password(password)
    user.save(update_fields=["password"])
    user.epoch = close_everything(account_id=user.pk, reason="password_changed", by=by).epoch
    record(by, Act.PASSWORD_CHANGED, user)
    tell_changed(user)
    return user


@transaction.atomic
def ask_email_change(*, email: str, by: Actor) -> None:
    """Send a link to the new address; until it is followed nothing changes. An address that signs in already gets no
    message, and the asker is told nothing of that."""
    factors.require_fresh(by)
    user = one(User.objects.filter(is_active=True), account_id(by))
    record(by, Act.EMAIL_CHANGE_ASKED, user)
    if account_of_email(email):
        refuse(by, "email_taken")
        return
    EmailChange.objects.filter(user=user, confirmed_at=None).delete()
    change = EmailChange.objects.create(user=user, email=email)
    import_string(settings.NOTIFY)(person_id=change.pk, kind="email_change", about_id=change.pk)


@transaction.atomic
def confirm_email_change(*, token: str, by: Actor) -> User:
    """The new address signs in from now on; the old one is told. Good once, for a day, and not after a recovery or a new
    password: EmailChangeUnusable."""
    try:
        change = open_email_change(token)
        user = User.objects.select_for_update().get(pk=change.user_id, is_active=True)
        EmailChange.objects.select_for_update().get(pk=change.pk, confirmed_at=None)
    except (EmailChangeUnusable, EmailChange.DoesNotExist, User.DoesNotExist):
        refuse(by, "email_change_unusable", kind=EmailChange._meta.label)
        raise EmailChangeUnusable from None
    tell_changed(user)
    user.email = change.email
    with constraint("accounts_user_email_index_key", EmailTaken, "accounts_user_email_index_next_key"):
        user.save(update_fields=["email"])
    change.confirmed_at = now()
    change.save(update_fields=["confirmed_at"])
    record(user.actor, Act.EMAIL_CHANGED, user)
    return user
