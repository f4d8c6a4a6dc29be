"""May they? Pure questions on (actor, thing); `visible` answers whose records, these answer whether at all."""

from typing import Any

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource, scopes


def may_import(by: Actor, _: Any) -> bool:
    """Whoever the access table lets create an import."""
    return bool(scopes(by.role, Action.CREATE, Resource.IMPORT))


def may_search(by: Actor, _: Any) -> bool:
    """Whoever the access table lets search patients, in some scope."""
    return bool(scopes(by.role, Action.SEARCH, Resource.PATIENT))
