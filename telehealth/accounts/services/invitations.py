"""Invitations: an offer of an account by e-mail, good once; accepting one when there is an account recovers it."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts.access import Role
from telehealth.accounts.errors import EmailTaken, InvitationUnusable, SignInFirst
from telehealth.accounts.factors import has_factor
from telehealth.accounts.models import Invitation, User
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.accounts.selectors import account_of_email, open_invitation
from telehealth.accounts.services.people import create_account, recover
from telehealth.core import now


@transaction.atomic
def create_invitation(
    *,
    email: str,
    role: Role,
    by: Actor,
    patient_id: UUID | None = None,
    relationship: str = "",
    account_id: UUID | None = None,
    name: str = "",
) -> Invitation:
    """Offer an account to whoever reads this mailbox. Earlier open offers of the same thing end. The caller sends it.

    `account_id` names the account that it recovers. An address that signs in as staff is refused: EmailTaken.
    """
    existing = account_of_email(email)
    if existing and existing.pk != account_id and (existing.role not in PATIENT_SIDE or role not in PATIENT_SIDE):
        raise EmailTaken
    invitation = Invitation.objects.create(
        email=email,
        role=role,
        name=name,
        patient=patient_id,
        relationship=relationship,
        account=account_id,
        invited_by=by.id,
    )
    _supersede(invitation)
    record(by, Act.INVITATION_CREATED, invitation, record_id=patient_id, detail={"role": str(role)})
    return invitation


@transaction.atomic
def accept(*, token: str, by: Actor, password: str = "") -> User:
    """Make the account, or recover the one that the invitation names; then what it was for (`INVITATION_ACCEPTED`).

    When its address signs in already, that account accepts, with both factors shown: SignInFirst.
    """
    try:
        invitation = Invitation.objects.select_for_update().get(pk=open_invitation(token).pk, accepted_at=None)
    except (InvitationUnusable, Invitation.DoesNotExist):
        refuse(by, "invitation_unusable", kind=Invitation._meta.label)
        raise InvitationUnusable from None
    user = _account_for(invitation, password, by)
    invitation.accepted_at = now()
    invitation.save(update_fields=["accepted_at"])
    themselves = user.actor
    record(themselves, Act.INVITATION_ACCEPTED, invitation, record_id=invitation.patient)
    if invitation.patient is not None:
        import_string(settings.INVITATION_ACCEPTED)(
            patient_id=invitation.patient,
            account_id=user.pk,
            relationship=invitation.relationship,
            granted_by=invitation.invited_by,
            by=themselves,
            invitation_id=invitation.pk,
        )
    return user


def _account_for(invitation: Invitation, password: str, by: Actor) -> User:
    email, role = invitation.email, Role(invitation.role)
    if invitation.account is not None:
        return recover(account_id=invitation.account, email=email, role=role, password=password, by=by)
    if known := account_of_email(email):
        return _joined(known, role, by)
    return create_account(email=email, role=role, by=by, password=password, name=invitation.name, invitation=invitation)


def _joined(known: User, role: Role, by: Actor) -> User:
    """The account there is, in its person's hands: a mailbox alone neither resets it nor accepts for it."""
    if known.role not in PATIENT_SIDE or role not in PATIENT_SIDE:
        raise EmailTaken
    if by.id != known.pk or not has_factor(by):
        refuse(by, "sign_in_first", kind=User._meta.label, pk=known.pk)
        raise SignInFirst
    if known.role == Role.PROXY and role == Role.PATIENT:  # what was delegated stays
        known.role = Role.PATIENT
        known.save(update_fields=["role"])
        record(by, Act.ROLE_CHANGED, known, detail={"role": str(role)})
    return known


def _supersede(invitation: Invitation) -> None:
    """One open offer per patient (a guardian's: per address), per account of the staff."""
    open_ones = Invitation.objects.filter(accepted_at=None, expires_at__gt=now(), relationship=invitation.relationship)
    if invitation.patient is not None:
        open_ones = open_ones.filter(patient=invitation.patient)
    elif invitation.account is not None:
        open_ones = open_ones.filter(account=invitation.account)
    else:
        return
    for earlier in open_ones.exclude(pk=invitation.pk).select_for_update():
        if invitation.relationship not in ("guardian", "delegate") or earlier.email.casefold() == invitation.email.casefold():
            _end(earlier)


@transaction.atomic
def withdraw_invitations(*, patient_id: UUID, relationship: str, account_id: UUID, by: Actor) -> None:
    """Open offers to act for this patient, sent to the address of this account, end: the caller has taken away what they offer."""
    account = User.objects.filter(pk=account_id).first()
    open_ones = Invitation.objects.filter(accepted_at=None, expires_at__gt=now(), patient=patient_id, relationship=relationship)
    for invitation in open_ones.select_for_update():
        if account is not None and invitation.email.casefold() == account.email.casefold():
            _end(invitation)
            record(by, Act.INVITATION_WITHDRAWN, invitation, record_id=patient_id)


def _end(invitation: Invitation) -> None:
    invitation.expires_at = now()
    invitation.generation += 1
    invitation.save(update_fields=["expires_at", "generation"])
