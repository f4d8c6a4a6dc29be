"""From a scope of the access table to a query: the one way to narrow what an actor may see (contract C4).

Each reason to see a record has a file of its own; `visible` joins them.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db.models import Q

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.core import now
from telehealth.records.access.care import cared_for
from telehealth.records.access.delegation import delegated
from telehealth.records.access.emergency import declared
from telehealth.records.access.sensitivity import consented, consented_to_role, delegated_labels, emergency_labels
from telehealth.records.models import Patient

NOTHING = Q(pk__in=[])
EVERYTHING = ~Q(pk__in=[])


LABELLED = dict.fromkeys((Resource.CLINICAL_RESOURCE, Resource.BILLING, Resource.NOTE, Resource.SUMMARY), "labels")
"""Resources whose rows carry labels of sensitive categories, and in which column."""
AUTHORED = dict.fromkeys((Resource.NOTE, Resource.SUMMARY), "author_id")
"""Of these, which rows are somebody's own words, and in which column it says whose: labels hide nothing from who wrote it,
while that person has a reason to see the record at all."""
Reason = Callable[[Actor, datetime, str, str], Q]


def visible(by: Actor, action: Action, resource: Resource, path: str = "patient") -> Q:
    """Rows whose patient this actor has a reason to see. `path` leads from the row to its Patient, "" is Patient itself.

    Rows that carry labels of sensitive categories are narrowed to what the reason covers, in the same query: neither
    a page nor a total tells that there is more.
    """
    held = granted(by, action, resource)
    if by.id is None:
        return NOTHING
    at, within = now(), f"{path or 'pk'}__in"
    covered = partial(_covered, by, at, resource, path)
    if held & {Scope.ALL, Scope.DESK}:
        there = EVERYTHING if resource is Resource.ACCESS_LOG else _there(path)  # who opened it remains to be seen
        return there & covered(consented_to_role)
    query = NOTHING
    if Scope.OWN in held:
        query |= Q(**{f"{path}__account_id" if path else "account_id": by.id})
    if Scope.DELEGATED in held:
        query |= Q(**{within: delegated(by.id, resource, at, minors=by.guards_minors)}) & covered(delegated_labels)
    if Scope.CARE in held:
        query |= Q(**{within: cared_for(by, at)}) & covered(consented)
    if Scope.EMERGENCY in held and by.emergency:
        query |= Q(**{within: declared(by, at)}) & covered(emergency_labels)
    return query & _there(path)


def _covered(by: Actor, at: datetime, resource: Resource, path: str, labels_of: Reason) -> Q:
    """Rows whose labels the reason covers, and one's own words; every row where rows carry no labels."""
    labels = LABELLED.get(resource, "") if path else ""
    if not labels:
        return Q()
    shown, author = labels_of(by, at, path, labels), AUTHORED.get(resource)
    return shown | Q(**{author: by.id}) if author else shown


def _there(path: str) -> Q:
    """Not a tombstone. By a subquery: a join would make every lock on the row a lock on the patient too."""
    if not path:
        return Q(destroyed_at=None)
    return ~Q(**{f"{path}__in": Patient.objects.filter(destroyed_at__isnull=False).values("pk")})
