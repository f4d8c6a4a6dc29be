"""Patients whom somebody cares for, or whose practitioner somebody stands in for."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.ledger import Actor
from telehealth.accounts.access import Role
from telehealth.records.access.periods import lasting
from telehealth.records.models import CareRelationship, Covering


def cared_for(by: Actor, at: datetime) -> QuerySet[CareRelationship, UUID]:
    """Ids of the patients with an active care relationship: to this practitioner or to one whom they cover; to any, for a nurse."""
    care = CareRelationship.objects.filter(lasting(at))
    if by.role != Role.NURSE:  # a nurse works for all practitioners of the clinic
        covered = Covering.objects.filter(lasting(at), covering__account_id=by.account)
        care = care.filter(Q(practitioner__account_id=by.account) | Q(practitioner__in=covered.values("covered")))
    return care.values_list("patient_id", flat=True)
