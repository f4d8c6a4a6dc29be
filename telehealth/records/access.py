"""From a scope of the access table to a query: the one way to narrow what an actor may see (contract C4)."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource, Role, Scope, granted
from telehealth.core import now
from telehealth.records.models import CareRelationship, ProxyGrant

NOTHING = Q(pk__in=[])
EVERYTHING = ~Q(pk__in=[])


def visible(by: Actor, action: Action, resource: Resource, path: str = "patient") -> Q:
    """Rows whose patient this actor has a reason to see. `path` leads from the row to its Patient, "" is Patient itself."""
    held = granted(by, action, resource)
    if by.id is None:
        return NOTHING
    if held & {Scope.ALL, Scope.DESK}:
        return EVERYTHING
    query = NOTHING
    if Scope.OWN in held:
        query |= Q(**{f"{path}__account_id" if path else "account_id": by.id})
    if Scope.DELEGATED in held:
        query |= Q(**{f"{path or 'pk'}__in": _delegated(by.id, now())})
    if Scope.CARE in held:
        query |= Q(**{f"{path or 'pk'}__in": _cared_for(by, now())})
    return query


def _delegated(account: UUID, at: datetime) -> QuerySet[ProxyGrant, UUID]:
    grants = ProxyGrant.objects.filter(_lasting(at), proxy=account)
    return grants.values_list("patient_id", flat=True)


def _cared_for(by: Actor, at: datetime) -> QuerySet[CareRelationship, UUID]:
    care = CareRelationship.objects.filter(_lasting(at))
    if by.role != Role.NURSE:  # a nurse works for all practitioners of the clinic
        care = care.filter(practitioner__account_id=by.id)
    return care.values_list("patient_id", flat=True)


def _lasting(at: datetime) -> Q:
    return Q(starts_at__lte=at) & (Q(ends_at=None) | Q(ends_at__gt=at))
