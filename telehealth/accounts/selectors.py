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
from telehealth.accounts.access import Role
from telehealth.accounts.errors import InvitationUnusable
from telehealth.accounts.factors import account_id
from telehealth.accounts.live import with_tokens
from telehealth.accounts.models import Invitation, Session, TOTPDevice, User
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.core import now, one
from telehealth.vault.blind import blind

ID_BYTES = 16


def has_factor_device(by: Actor) -> bool:
    """Whether this person has a second factor to show."""
    return TOTPDevice.objects.filter(user_id=account_id(by), confirmed=True).exists()


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


def _mac(invitation: Invitation) -> bytes:
    value = f"{invitation.pk}:{invitation.generation}"
    return salted_hmac("telehealth.accounts.invitation", value, algorithm="sha256").digest()


def session_id(by: Actor) -> UUID | None:
    """The row of the session that this actor acts in."""
    return UUID(by.session) if by.session else None


def sessions_of(by: Actor) -> QuerySet[Session]:
    """Where one is signed in, oneself and by apps, the latest used first; none of anybody else's."""
    return with_tokens().select_related("application").filter(account=account_id(by), ended_at=None).order_by("-seen_at", "-pk")
