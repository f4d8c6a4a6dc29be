"""Reads: about the person who asks, and what a sign-in or an invitation's token leads to."""

import base64
import binascii
import hmac
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from audit.ledger import Actor
from telehealth.accounts import factors
from telehealth.accounts.access import Role
from telehealth.accounts.errors import EmailChangeUnusable, InvitationUnusable
from telehealth.accounts.factors import account_id
from telehealth.accounts.live import with_tokens
from telehealth.accounts.models import EmailChange, Invitation, Mailbox, Passkey, RecoveryCode, Session, TOTPDevice, User
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.core import now, one
from telehealth.vault.blind import blind

ID_BYTES = 16


def has_factor_device(by: Actor) -> bool:
    """Whether this person has a second factor to show."""
    return factors.has_any(account_id(by))


def has_passkey(by: Actor) -> bool:
    """Whether one of them is a passkey."""
    return Passkey.objects.filter(user_id=account_id(by)).exists()


def factors_of(by: Actor) -> list[Passkey | TOTPDevice]:
    """One's own factors, the oldest first: id, name, created, last use."""
    mine: list[Passkey | TOTPDevice] = [
        *Passkey.objects.filter(user_id=account_id(by)),
        *TOTPDevice.objects.filter(user_id=account_id(by), confirmed=True),
    ]
    return sorted(mine, key=lambda factor: factor.pk)


def recovery_codes_left(by: Actor) -> int:
    """How many of one's recovery codes are unused."""
    return RecoveryCode.objects.filter(user_id=account_id(by), used_at=None).count()


def account_for(by: Actor) -> User:
    """One's own account."""
    return one(User.objects.filter(is_active=True), by.id)


def me(by: Actor) -> dict[str, Any]:
    """Who one is here: account, role, and what `ME_EXTRAS` adds (patient, practitioner)."""
    extras: dict[str, Any] = {"patient": None, "practitioner": None}
    if path := getattr(settings, "ME_EXTRAS", ""):
        extras |= import_string(path)(by)
    return {"id": by.id, "role": by.role, **extras}


def active(role: Role) -> QuerySet[User]:
    """The accounts of this role that are switched on: whom a notice to the role goes to."""
    return User.objects.filter(role=role, is_active=True)


def staff() -> QuerySet[User]:
    """Everybody who works here, by name: no health data."""
    return User.objects.filter(is_active=True).exclude(role__in=PATIENT_SIDE).order_by("name", "pk")


def all_staff() -> QuerySet[User]:
    """Also those who are switched off: whom a role can be granted to."""
    return User.objects.exclude(role__in=PATIENT_SIDE).order_by("name", "pk")


def account_of_email(email: str) -> User | None:
    """The account that signs in with this address, by blind index."""
    return User.objects.filter(email_index=blind("accounts.User.email", email)).first()


def token_of(invitation: Invitation) -> str:
    """The secret of an invitation's link: a MAC over id and generation. Made anew each time, kept nowhere."""
    return base64.urlsafe_b64encode(invitation.pk.bytes + _mac(invitation)).decode()


def invitation_path(about_id: UUID) -> str:
    """`OUTBOX_LINKS`: the path of the link that an invitation's message carries."""
    return reverse("invitation", kwargs={"token": token_of(one(Invitation.objects.all(), about_id))})


def open_invitation(token: str) -> Invitation:
    """The invitation of this token while it can be accepted, else InvitationUnusable."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii"))
        found = Invitation.objects.filter(pk=UUID(bytes=raw[:ID_BYTES])).first()
    except (binascii.Error, ValueError):
        raise InvitationUnusable from None
    if found is None or not hmac.compare_digest(_mac(found), raw[ID_BYTES:]):
        raise InvitationUnusable
    if found.accepted_at is not None or found.expires_at <= now():
        raise InvitationUnusable
    return found


def joins(invitation: Invitation) -> User | None:
    """The account that accepts this invitation as it is, with its own factors; None when one is made or recovered."""
    return account_of_email(invitation.email) if invitation.account is None else None


def mail_address(person_id: UUID) -> str | None:
    """Where a notice goes that is for no account: an invitation's, a new address that waits, an address as it stood."""
    for model in (Invitation, Mailbox, EmailChange):
        if found := model.objects.filter(pk=person_id).first():
            return str(found.email)
    return None


def email_change_path(about_id: UUID) -> str:
    """`OUTBOX_LINKS`: the path of the link that confirms a new address."""
    change = one(EmailChange.objects.select_related("user"), about_id)
    return reverse("email-change", kwargs={"token": base64.urlsafe_b64encode(change.pk.bytes + _change_mac(change)).decode()})


def open_email_change(token: str) -> EmailChange:
    """The change of this token while it can be confirmed, else EmailChangeUnusable."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii"))
        found = EmailChange.objects.select_related("user").filter(pk=UUID(bytes=raw[:ID_BYTES])).first()
    except (binascii.Error, ValueError):
        raise EmailChangeUnusable from None
    if found is None or not hmac.compare_digest(_change_mac(found), raw[ID_BYTES:]):
        raise EmailChangeUnusable
    if found.confirmed_at is not None or found.expires_at <= now():
        raise EmailChangeUnusable
    return found


def _change_mac(change: EmailChange) -> bytes:
    """Over the account's epoch too: a recovery or a new password ends what waited."""
    value = f"{change.pk}:{change.user.epoch}"
    return salted_hmac("telehealth.accounts.email_change", value, algorithm="sha256").digest()


def _mac(invitation: Invitation) -> bytes:
    value = f"{invitation.pk}:{invitation.generation}"
    return salted_hmac("telehealth.accounts.invitation", value, algorithm="sha256").digest()


def session_id(by: Actor) -> UUID | None:
    """The row of the session that this actor acts in."""
    return UUID(by.session) if by.session else None


def sessions_of(by: Actor) -> QuerySet[Session]:
    """Where one is signed in, oneself and by apps, the latest used first; none of anybody else's."""
    return with_tokens().select_related("application").filter(account=account_id(by), ended_at=None).order_by("-seen_at", "-pk")
