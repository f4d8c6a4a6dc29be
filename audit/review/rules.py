"""May they? Beyond what the access table says, and for what belongs to no record."""

from typing import Any

from audit.ledger import Actor
from audit.review.models import Finding
from telehealth.accounts.access import Action, Resource, Scope, granted


def may_close(by: Actor, finding: Finding) -> bool:
    """Nobody judges their own looks."""
    return finding.actor_id != by.account


def may_open_incident(by: Actor, _: Any) -> bool:
    """Whoever the access table lets create incidents."""
    return Scope.ALL in granted(by, Action.CREATE, Resource.INCIDENT)


def may_export_entries(by: Actor, _: Any) -> bool:
    """Whoever the access table lets take the log out of the house."""
    return Scope.ALL in granted(by, Action.EXPORT, Resource.AUDIT_ENTRY)
