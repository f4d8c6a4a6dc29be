"""Records whose emergency was declared."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from audit.ledger import Actor
from telehealth.records.access.periods import lasting
from telehealth.records.models import EmergencyAccess


def declared(by: Actor, at: datetime) -> QuerySet[EmergencyAccess, UUID]:
    """Ids of the patients whose emergency this account declared in this session and has not ended."""
    standing = EmergencyAccess.objects.filter(lasting(at), account=by.account, patient__in=by.emergency)
    return standing.values_list("patient_id", flat=True)
