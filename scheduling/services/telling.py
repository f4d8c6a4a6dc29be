"""Who learns of it, and who may see the record for it. No face calls this."""

from datetime import timedelta

from django.conf import settings

from audit.ledger import Actor
from scheduling.models import Appointment
from telehealth.outbox.services import notify
from telehealth.records.services import begin_care


def care_for(appointment: Appointment, by: Actor, *, is_new: bool = False) -> None:
    """The provider sees the record from now on, until some time after the visit."""
    begin_care(
        patient_id=appointment.patient_id,
        practitioner_id=appointment.practitioner_id,
        source="appointment",
        source_id=appointment.pk,
        ends_at=appointment.ends_at + timedelta(days=settings.CARE_DAYS_AFTER_VISIT),
        by=by,
        is_new=is_new,
    )


def tell(appointment: Appointment, kind: str) -> None:
    """The patient, if they have an account."""
    if account := appointment.patient.account_id:
        notify(person_id=account, kind=kind, about_id=appointment.pk)
