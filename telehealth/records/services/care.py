from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.ledger import Act, Actor, record
from telehealth.core import lock, now
from telehealth.records.models import CareRelationship, CareSource


@transaction.atomic
def begin_care(
    *,
    patient_id: UUID,
    practitioner_id: UUID,
    source: str,
    source_id: UUID,
    by: Actor,
    ends_at: datetime | None = None,
) -> CareRelationship:
    """From now (until `ends_at`, or `end_care`) the practitioner sees the record. Once per cause: a repeat renews it.

    For the services of the visit's steps, which have asked whether `by` may do what causes it.
    """
    lock(source_id)
    care, made = CareRelationship.objects.get_or_create(
        patient_id=patient_id,
        practitioner_id=practitioner_id,
        source=CareSource(source),
        source_id=source_id,
        defaults={"starts_at": now(), "ends_at": ends_at},
    )
    if not made and care.ends_at != ends_at:
        care.ends_at = ends_at
        care.save(update_fields=["ends_at"])
    record(by, Act.CARE_BEGUN, care, record_id=patient_id, reason=care.source)
    return care


@transaction.atomic
def end_care(*, source: str, source_id: UUID, by: Actor) -> int:
    """What this cause began ends now; says how many relationships that were. Access by another cause stays."""
    moment = now()
    lasting = CareRelationship.objects.select_for_update().filter(
        Q(ends_at=None) | Q(ends_at__gt=moment), source=CareSource(source), source_id=source_id
    )
    ended = list(lasting)
    for care in ended:
        care.ends_at = max(moment, care.starts_at)
        care.save(update_fields=["ends_at"])
        record(by, Act.CARE_ENDED, care, record_id=care.patient_id, reason=care.source)
    return len(ended)
