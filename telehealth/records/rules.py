"""May they? Pure questions on (actor, thing); `visible` answers whose records, these answer whether at all."""

from typing import Any

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource, granted


def may_import(by: Actor, _: Any) -> bool:
    """Whoever the access table lets create an import."""
    return bool(granted(by, Action.CREATE, Resource.IMPORT))


def may_search(by: Actor, _: Any) -> bool:
    """Whoever the access table lets search patients, in some scope."""
    return bool(granted(by, Action.SEARCH, Resource.PATIENT))
