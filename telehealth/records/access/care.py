"""Patients whom somebody cares for."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from audit.ledger import Actor
from telehealth.accounts.access import Role
from telehealth.records.access.periods import lasting
from telehealth.records.models import CareRelationship


def cared_for(by: Actor, at: datetime) -> QuerySet[CareRelationship, UUID]:
    """Ids of the patients with an active care relationship to this practitioner; to any practitioner, for a nurse."""
    care = CareRelationship.objects.filter(lasting(at))
    if by.role != Role.NURSE:  # a nurse works for all practitioners of the clinic
        care = care.filter(practitioner__account_id=by.id)
    return care.values_list("patient_id", flat=True)
