"""Who may do what to whose account, beyond what the access table says."""

from audit.ledger import Actor
from telehealth.accounts.models import User


def may_manage(by: Actor, user: User) -> bool:
    """Staff accounts only, and never one's own."""
    return not user.is_patient_side and user.pk != by.id
