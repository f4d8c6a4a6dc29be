"""The one who asks the rules."""

from collections.abc import Callable
from typing import Any

from audit.ledger import Actor, refuse
from telehealth.core.errors import Refused

Rule = Callable[[Actor, Any], bool]


def permit(by: Actor, rule: Rule, subject: Any) -> None:
    """Only an exact True passes: a rule that forgets to return refuses. A refusal is recorded and survives a rollback."""
    if rule(by, subject) is True:
        return
    name = getattr(rule, "__name__", "rule")
    meta = getattr(subject, "_meta", None)
    kind = meta.label if meta else type(subject).__name__
    pk, record_id = getattr(subject, "pk", ""), getattr(subject, "record_id", None)
    refuse(by, name, kind=kind, pk=pk, record_id=record_id)
    raise Refused(rule=name, subject=pk)
