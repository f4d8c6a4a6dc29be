"""Patients for whom somebody else may act."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from telehealth.records.access.periods import lasting
from telehealth.records.models import ProxyGrant


def delegated(account: UUID, at: datetime) -> QuerySet[ProxyGrant, UUID]:
    """Ids of the patients who gave this account access, or whose guardian it is."""
    grants = ProxyGrant.objects.filter(lasting(at), proxy=account)
    return grants.values_list("patient_id", flat=True)
