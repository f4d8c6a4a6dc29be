"""Sensitive categories: a labelled row is seen by a reason that covers its labels, and is not there for the others.

Own: all of it. Delegated: what the grant names. Care: what the patient consented to. Emergency: all but psychotherapy
notes (42 CFR 2.51; 45 CFR 164.508(a)(2)).
"""

from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet, Subquery

from audit.ledger import Actor
from telehealth.records.access.periods import lasting
from telehealth.records.models import Consent, EmergencyAccess, ProxyGrant, Recipient


def consented(by: Actor, at: datetime, path: str, labels: str) -> Q:
    """Rows whose labels the patient lets this practitioner, this role or everybody in care see."""
    given = Consent.objects.filter(addressed_to(by), lasting(at), withdrawn_at=None, patient=OuterRef(path))
    return _within(labels, ArraySubquery(given.values("label")))


def addressed_to(by: Actor) -> Q:
    """Consents whose recipient this actor is, or is among, while in care."""
    to = Q(recipient=Recipient.CARE_TEAM) | Q(recipient=Recipient.ROLE, role=by.role)
    return to | Q(recipient=Recipient.PRACTITIONER, practitioner__account_id=by.id)


def consented_to_role(by: Actor, at: datetime, path: str, labels: str) -> Q:
    """Rows whose labels the patient lets this role see: for work on paper, where a consent to the care team does not reach."""
    given = Consent.objects.filter(lasting(at), recipient=Recipient.ROLE, role=by.role, withdrawn_at=None, patient=OuterRef(path))
    return _within(labels, ArraySubquery(given.values("label")))


def delegated_labels(by: Actor, at: datetime, path: str, labels: str) -> Q:
    """Rows whose labels the grant names."""
    return _within(labels, _sees(ProxyGrant.objects.filter(lasting(at), proxy=by.account, patient=OuterRef(path))))


def emergency_labels(by: Actor, at: datetime, path: str, labels: str) -> Q:
    """Rows whose labels an emergency lays open."""
    return _within(labels, _sees(EmergencyAccess.objects.filter(lasting(at), account=by.account, patient=OuterRef(path))))


def _sees(reasons: QuerySet[Any]) -> Subquery:
    return Subquery(reasons.order_by("-id").values("sees")[:1])


def _within(labels: str, seen: Any) -> Q:
    return Q(**{labels: []}) | Q(**{f"{labels}__contained_by": seen})
