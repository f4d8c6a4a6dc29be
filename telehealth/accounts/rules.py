"""Who may do what to whose account, beyond what the access table says."""

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource, granted
from telehealth.accounts.models import RoleGrant, StaffReset, User


def may_manage(by: Actor, user: User) -> bool:
    """Staff accounts only, and never one's own."""
    return not user.is_patient_side and user.pk != by.id


def may_invite_staff(by: Actor, subject: None) -> bool:
    """Whoever the table lets make staff accounts."""
    return bool(granted(by, Action.CREATE, Resource.STAFF_ACCOUNT))


def may_approve(by: Actor, asked: RoleGrant | StaffReset) -> bool:
    """What waits; neither by whoever asked for it nor by whom it is for."""
    may = bool(granted(by, Action.UPDATE, Resource.ROLE_GRANT))
    return may and asked.is_open and by.id is not None and by.id not in (asked.requested_by, asked.account_id)


def may_withdraw(by: Actor, asked: RoleGrant | StaffReset) -> bool:
    """What waits, whoever asked."""
    return bool(granted(by, Action.ACT, Resource.ROLE_GRANT)) and asked.is_open


def may_review_role(by: Actor, grant: RoleGrant) -> bool:
    """What stands, and never one's own."""
    stands = grant.approved_at is not None and grant.ended_at is None and grant.account_id is not None
    return bool(granted(by, Action.ACT, Resource.ROLE_GRANT)) and stands and grant.account_id != by.id


def may_let_go(by: Actor, user: User) -> bool:
    """Staff, by whoever the table lets act on staff accounts, and never oneself."""
    return bool(granted(by, Action.ACT, Resource.STAFF_ACCOUNT)) and may_manage(by, user)
