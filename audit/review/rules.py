"""May they? Beyond what the access table says."""

from audit.ledger import Actor
from audit.review.models import Finding


def may_close(by: Actor, finding: Finding) -> bool:
    """Nobody judges their own looks."""
    return finding.actor_id != by.account
