"""Somebody of the staff leaves: one act ends everything that they were given, and says what they leave open."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from audit.ledger import Act, Actor, record
from telehealth.accounts import rules
from telehealth.accounts.factors import require_fresh
from telehealth.accounts.models import Invitation, StaffReset, User
from telehealth.accounts.services.people import forget_factors
from telehealth.accounts.services.roles import end_all_roles
from telehealth.accounts.services.sessions import close_everything
from telehealth.core import now, one, permit

Hook = Callable[..., dict[str, int]]


@transaction.atomic
def leave(*, account_id: UUID, by: Actor) -> dict[str, int]:
    """Account, password, factors, sessions, apps, sockets, roles, care, requests and invitations end together; says how many
    of each ended, and what is left `open_...`. Nobody does this to themselves."""
    user = one(User.objects.select_for_update(), account_id)
    permit(by, rules.may_let_go, user)
    require_fresh(by)
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])
    forget_factors(user.pk)
    told = {"roles": end_all_roles(user, by), "invitations": _close_invitations(user), "resets": _withdraw_resets(user)}
    for path in settings.LEAVERS:
        hook: Hook = import_string(path)
        told |= hook(account_id=user.pk, by=by)
    close_everything(account_id=user.pk, reason="left", by=by)
    record(by, Act.STAFF_LEFT, user, detail=told)
    return told


def _close_invitations(user: User) -> int:
    """Those to this account, and those that this person sent and nobody has accepted."""
    waiting = Invitation.objects.filter(Q(account=user.pk) | Q(invited_by=user.pk), accepted_at=None, expires_at__gt=now())
    found = list(waiting.select_for_update())
    for each in found:
        each.expires_at, each.generation = now(), each.generation + 1
        each.save(update_fields=["expires_at", "generation"])
    return len(found)


def _withdraw_resets(user: User) -> int:
    waiting = StaffReset.objects.filter(Q(account=user) | Q(requested_by=user.pk), approved_at=None, withdrawn_at=None)
    found = list(waiting.select_for_update(of=("self",)))
    for each in found:
        each.withdrawn_at = now()
        each.save(update_fields=["withdrawn_at"])
    return len(found)
