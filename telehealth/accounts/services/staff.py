"""Staff are invited and let in again by two: one asks, another approves. The operator's command alone needs nobody else."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import SYSTEM, Act, Actor, record
from telehealth.accounts import rules
from telehealth.accounts.access import Role
from telehealth.accounts.errors import ResetAsked
from telehealth.accounts.factors import require_fresh
from telehealth.accounts.models import GrantReason, Invitation, ResetReason, RoleGrant, StaffReset, User
from telehealth.accounts.services.invitations import create_invitation
from telehealth.accounts.services.invitations_sent import close, send
from telehealth.accounts.services.people import forget_factors
from telehealth.accounts.services.roles import in_future, staff_role
from telehealth.accounts.services.sessions import close_everything
from telehealth.accounts.services.telling import tell_changed
from telehealth.core import constraint, now, one, permit


@transaction.atomic
def invite_staff(
    *,
    email: str,
    role: Role,
    name: str,
    by: Actor,
    code: str = GrantReason.HIRED,
    why: str = "",
    expires_at: datetime | None = None,
) -> Invitation:
    """Ask for an account for somebody new, in this role. The invitation leaves when another person approves the grant that
    hangs on it, and at once when the operator asks. StaffOnly for patients' roles, EmailTaken, RolePeriodUnusable."""
    staff_role(role, by)
    in_future(expires_at)
    alone = by == SYSTEM
    if not alone:
        permit(by, rules.may_invite_staff, None)
        require_fresh(by)
    invitation = create_invitation(email=email, role=role, name=name, by=by)
    asked = RoleGrant.objects.create(
        invitation=invitation,
        role=role,
        code=GrantReason.OPERATOR if alone else GrantReason(code),
        why=why or None,
        requested_by=by.id,
        approved_at=now() if alone else None,
        expires_at=expires_at,
    )
    record(by, Act.ROLE_REQUESTED, asked, reason=asked.code, detail={"role": str(role)})
    if alone:
        send(invitation, by)
    else:
        close(invitation)
    return invitation


@transaction.atomic
def request_reset(*, account_id: UUID, code: str, why: str, by: Actor) -> StaffReset:
    """Ask that somebody of the staff gets a new password and new factors. Nothing changes until somebody else approves."""
    user = one(User.objects.filter(is_active=True), account_id)
    permit(by, rules.may_manage, user)
    require_fresh(by)
    with constraint("reset_asked_once_at_a_time", ResetAsked):
        asked = StaffReset.objects.create(account=user, code=ResetReason(code), why=why, requested_by=by.account)
    record(by, Act.STAFF_RESET_REQUESTED, asked, reason=asked.code, detail={"account": str(user.pk)})
    return asked


@transaction.atomic
def approve_reset(*, reset_id: UUID, by: Actor) -> StaffReset:
    """Password, factors, sessions and apps go at once; the person is told, and invited to new ones."""
    asked = one(StaffReset.objects.select_for_update(of=("self",)).select_related("account"), reset_id)
    permit(by, rules.may_approve, asked)
    require_fresh(by)
    asked.approved_at, asked.approved_by = now(), by.account
    asked.save(update_fields=["approved_at", "approved_by"])
    user = asked.account
    tell_changed(user)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    forget_factors(user.pk)
    close_everything(account_id=user.pk, reason="reset", by=by)
    send(create_invitation(email=user.email, role=Role(user.role), name=user.name, account_id=user.pk, by=by), by)
    record(by, Act.STAFF_RESET, user, reason=asked.code)
    return asked


@transaction.atomic
def withdraw_reset(*, reset_id: UUID, by: Actor) -> StaffReset:
    """It is not done after all."""
    asked = one(StaffReset.objects.select_for_update(of=("self",)), reset_id)
    permit(by, rules.may_withdraw, asked)
    asked.withdrawn_at = now()
    asked.save(update_fields=["withdrawn_at"])
    record(by, Act.STAFF_RESET_WITHDRAWN, asked)
    return asked
