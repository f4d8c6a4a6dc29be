"""The row of a proxy grant, for the services that have asked whether it may be."""

from uuid import UUID

from telehealth.core import lock, now
from telehealth.records.labels import HIDDEN_FROM_PROXIES, Category, tokens
from telehealth.records.models import ProxyGrant, ProxyRelationship


def make_grant(patient_id: UUID, account_id: UUID, relationship: str, *, granted_by: UUID | None) -> tuple[ProxyGrant, bool]:
    """The grant that stands, and whether it is new: once at a time. Needs a transaction."""
    lock(patient_id)
    return ProxyGrant.objects.get_or_create(
        patient_id=patient_id,
        proxy=account_id,
        ends_at=None,
        defaults={
            "relationship": ProxyRelationship(relationship),
            "granted_by": granted_by,
            "starts_at": now(),
            "sees": tokens(patient_id, set(Category) - HIDDEN_FROM_PROXIES),
        },
    )
