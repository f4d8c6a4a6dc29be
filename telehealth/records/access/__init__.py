"""From a scope of the access table to a query: the one way to narrow what an actor may see (contract C4).

Each reason to see a record has a file of its own; `visible` joins them.
"""

from django.db.models import Q

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.core import now
from telehealth.records.access.care import cared_for
from telehealth.records.access.delegation import delegated
from telehealth.records.access.emergency import declared

NOTHING = Q(pk__in=[])
EVERYTHING = ~Q(pk__in=[])


def visible(by: Actor, action: Action, resource: Resource, path: str = "patient") -> Q:
    """Rows whose patient this actor has a reason to see. `path` leads from the row to its Patient, "" is Patient itself."""
    held = granted(by, action, resource)
    if by.id is None:
        return NOTHING
    if held & {Scope.ALL, Scope.DESK}:
        return EVERYTHING
    at, query = now(), NOTHING
    if Scope.OWN in held:
        query |= Q(**{f"{path}__account_id" if path else "account_id": by.id})
    if Scope.DELEGATED in held:
        query |= Q(**{f"{path or 'pk'}__in": delegated(by.id, at)})
    if Scope.CARE in held:
        query |= Q(**{f"{path or 'pk'}__in": cared_for(by, at)})
    if Scope.EMERGENCY in held and by.emergency:
        query |= Q(**{f"{path or 'pk'}__in": declared(by, at)})
    return query
