"""Administrators manage the staff's accounts: invited, moved to another role, switched off; never made with a password."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts.access import Role
from telehealth.accounts.errors import StaffOnly
from telehealth.accounts.models import Invitation, User
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.accounts.rules import may_manage
from telehealth.accounts.services.invitations import create_invitation
from telehealth.accounts.services.sessions import close_everything
from telehealth.core import one, permit


@transaction.atomic
def invite_staff(*, email: str, role: Role, name: str, by: Actor, account_id: UUID | None = None) -> Invitation:
    """Send somebody of the staff the link to an account, or to their own again; StaffOnly for patients' roles."""
    if role in PATIENT_SIDE:
        refuse(by, "staff_only")
        raise StaffOnly
    invitation = create_invitation(email=email, role=role, name=name, account_id=account_id, by=by)
    import_string(settings.NOTIFY)(person_id=invitation.pk, kind="invitation", about_id=invitation.pk)
    record(by, Act.STAFF_INVITED, invitation, detail={"role": str(role)})
    return invitation


@transaction.atomic
def reset_staff(*, account_id: UUID, by: Actor) -> Invitation:
    """Send the person of this account the link to a new password and a new second factor."""
    user = one(User.objects.filter(is_active=True), account_id)
    permit(by, may_manage, user)
    invitation = invite_staff(email=user.email, role=Role(user.role), name=user.name, account_id=user.pk, by=by)
    record(by, Act.STAFF_RESET, user)
    return invitation


@transaction.atomic
def change_role(*, account_id: UUID, role: Role, by: Actor) -> User:
    """Another role for one of the staff: what the old one had given out ends at once. Nobody changes their own."""
    user = one(User.objects.select_for_update(), account_id)
    permit(by, may_manage, user)
    if role in PATIENT_SIDE:
        refuse(by, "staff_only", kind=User._meta.label, pk=user.pk)
        raise StaffOnly
    user.role = role
    user.save(update_fields=["role"])
    user.epoch = close_everything(account_id=user.pk, reason="role_changed", by=by).epoch
    record(by, Act.ROLE_CHANGED, user, detail={"role": str(role)})
    return user
