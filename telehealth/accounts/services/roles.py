"""Roles of the staff: asked for by one person, in force when another approves, over by time, by hand or by leaving."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.ledger import Act, Actor, record, refuse
from telehealth.accounts import rules
from telehealth.accounts.access import Role
from telehealth.accounts.errors import InvitationUnusable, RoleAsked, RolePeriodUnusable, StaffOnly
from telehealth.accounts.factors import require_fresh
from telehealth.accounts.models import GrantReason, Invitation, RoleGrant, User
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.accounts.services.invitations_sent import send
from telehealth.accounts.services.sessions import close_everything
from telehealth.core import constraint, now, one, permit


@transaction.atomic
def request_role(*, account_id: UUID, role: Role, code: str, why: str, by: Actor, expires_at: datetime | None = None) -> RoleGrant:
    """Ask for another role for one of the staff, with a fresh factor. Nothing changes until somebody else approves.

    StaffOnly for patients' roles; RoleAsked while another request waits; RolePeriodUnusable for a time that is over.
    """
    user = one(User.objects.all(), account_id)
    permit(by, rules.may_manage, user)
    require_fresh(by)
    staff_role(role, by)
    in_future(expires_at)
    with constraint("role_asked_once_at_a_time", RoleAsked):
        asked = RoleGrant.objects.create(
            account=user, role=role, code=GrantReason(code), why=why, requested_by=by.account, expires_at=expires_at
        )
    record(by, Act.ROLE_REQUESTED, asked, reason=asked.code, detail={"role": str(role), "account": str(user.pk)})
    return asked


@transaction.atomic
def approve_role(*, grant_id: UUID, by: Actor) -> RoleGrant:
    """The role takes effect, or the invitation leaves. Whoever asked, and whoever it is for, is refused."""
    grant = _locked(grant_id)
    permit(by, rules.may_approve, grant)
    require_fresh(by)
    in_future(grant.expires_at)
    grant.approved_at, grant.approved_by = now(), by.account
    grant.save(update_fields=["approved_at", "approved_by"])
    record(by, Act.ROLE_APPROVED, grant, reason=grant.code, detail={"role": str(grant.role)})
    if grant.account is not None:
        _take_effect(grant, grant.account, by)
    elif grant.invitation is not None:
        send(grant.invitation, by)
    return grant


@transaction.atomic
def withdraw_role_request(*, grant_id: UUID, by: Actor) -> RoleGrant:
    """It is not approved after all; the invitation that hangs on it stays closed."""
    grant = _locked(grant_id)
    permit(by, rules.may_withdraw, grant)
    _withdraw(grant, by)
    return grant


@transaction.atomic
def confirm_role(*, grant_id: UUID, by: Actor) -> RoleGrant:
    """Recertified: the person still needs the role. Nobody says that of their own."""
    grant = _locked(grant_id)
    permit(by, rules.may_review_role, grant)
    require_fresh(by)
    grant.confirmed_at, grant.confirmed_by = now(), by.account
    grant.save(update_fields=["confirmed_at", "confirmed_by"])
    record(by, Act.ROLE_CONFIRMED, grant, detail={"role": str(grant.role)})
    return grant


@transaction.atomic
def end_role(*, grant_id: UUID, by: Actor) -> RoleGrant:
    """The role goes at once; an earlier one that still stands takes its place, else the account is switched off."""
    grant = _locked(grant_id)
    permit(by, rules.may_review_role, grant)
    require_fresh(by)
    _lose([grant], "ended", by)
    return grant


@transaction.atomic
def end_expired_roles(*, by: Actor) -> int:
    """For the clock: roles whose time is over go. They count for nothing since that moment (`User.is_here`)."""
    over = standing().filter(expires_at__lte=now()).select_for_update(of=("self",), skip_locked=True)
    found = list(over)
    for grant in found:
        _lose([grant], "expired", by)
    return len(found)


def standing() -> QuerySet[RoleGrant]:
    """Approved and not ended."""
    return RoleGrant.objects.filter(approved_at__isnull=False, ended_at=None, account__isnull=False)


def staff_role(role: Role, by: Actor) -> None:
    """StaffOnly, on record, for the roles of patients and proxies."""
    if role in PATIENT_SIDE:
        refuse(by, "staff_only")
        raise StaffOnly


def in_future(expires_at: datetime | None) -> None:
    """RolePeriodUnusable for a role that would be over before it began."""
    if expires_at is not None and expires_at <= now():
        raise RolePeriodUnusable


def take_up(user: User, invitation: Invitation | None, by: Actor) -> None:
    """A new account of the staff has the role that was approved for it; without an invitation, the one that the operator gave.

    InvitationUnusable when nobody approved.
    """
    if user.is_patient_side:
        return
    moment = now()
    if invitation is None:
        RoleGrant.objects.create(account=user, role=user.role, code=GrantReason.OPERATOR, approved_at=moment, starts_at=moment)
        return
    grant = (
        RoleGrant.objects.select_for_update(of=("self",)).filter(invitation=invitation, approved_at__isnull=False, ended_at=None).first()
    )
    if grant is None:
        raise InvitationUnusable
    grant.account, grant.starts_at = user, moment
    grant.save(update_fields=["account", "starts_at"])
    user.role_until = grant.expires_at
    user.save(update_fields=["role_until"])
    record(by, Act.ROLE_CHANGED, user, detail={"role": str(grant.role)})


def end_all_roles(user: User, by: Actor) -> int:
    """What stands ends, what was asked for this person, or by them, is withdrawn; how many there were."""
    grants = list(standing().filter(account=user).select_for_update(of=("self",)))
    _lose(grants, "left", by)
    for asked in RoleGrant.objects.select_for_update(of=("self",)).filter(
        Q(account=user) | Q(requested_by=user.pk), approved_at=None, withdrawn_at=None
    ):
        _withdraw(asked, by)
    return len(grants)


def _locked(grant_id: UUID) -> RoleGrant:
    return one(RoleGrant.objects.select_for_update(of=("self",)).select_related("account", "invitation"), grant_id)


def _withdraw(grant: RoleGrant, by: Actor) -> None:
    grant.withdrawn_at = now()
    grant.save(update_fields=["withdrawn_at"])
    record(by, Act.ROLE_WITHDRAWN, grant, detail={"role": str(grant.role)})


def _take_effect(grant: RoleGrant, user: User, by: Actor) -> None:
    """A role without an end replaces what stood; one with an end lies over it."""
    moment = now()
    before = standing().filter(account=user).exclude(pk=grant.pk)
    came_back = not before.exists()
    if grant.expires_at is None:
        for earlier in before.select_for_update(of=("self",)):
            _end(earlier, moment, by)
    grant.starts_at = moment
    grant.save(update_fields=["starts_at"])
    user.is_active = user.is_active or came_back
    _set_role(user, grant, by, "role_changed")


def _lose(grants: list[RoleGrant], reason: str, by: Actor) -> None:
    moment = now()
    for grant in grants:
        _end(grant, moment, by)
        record(by, Act.ROLE_ENDED, grant, reason=reason, detail={"role": str(grant.role)})
    for account_id in {grant.account_id for grant in grants if grant.account_id}:
        user = one(User.objects.select_for_update(), account_id)
        lasting = Q(expires_at=None) | Q(expires_at__gt=moment)
        _set_role(user, standing().filter(lasting, account=user).order_by("-approved_at", "-pk").first(), by, f"role_{reason}")


def _end(grant: RoleGrant, moment: datetime, by: Actor) -> None:
    grant.ended_at, grant.ended_by = moment, by.id
    grant.save(update_fields=["ended_at", "ended_by"])


def _set_role(user: User, grant: RoleGrant | None, by: Actor, reason: str) -> None:
    """The account acts in this role from now on, or not at all; what was given out before ends."""
    user.is_active = user.is_active and grant is not None
    user.role, user.role_until = (grant.role, grant.expires_at) if grant else (user.role, None)
    user.save(update_fields=["role", "role_until", "is_active"])
    close_everything(account_id=user.pk, reason=reason, by=by)
    record(by, Act.ROLE_CHANGED, user, reason=reason, detail={"role": str(user.role) if grant else ""})
