"""Who of the staff is a patient here too: the review then knows whose looks at that record need a reason."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit.ledger import Act, Actor, record
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.models import User
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.core import lock, now, one
from telehealth.records.access import visible
from telehealth.records.errors import NotStaff
from telehealth.records.models import Patient, StaffRecord
from telehealth.records.selectors import staff_records_for
from telehealth.vault.blind import blind


@transaction.atomic
def link_staff(*, patient_id: UUID, account_id: UUID, by: Actor) -> StaffRecord:
    """This patient works here, under this account. Linking what stands changes nothing; NotStaff for a patient's account.

    The entry names the record and not the account: that somebody of the staff is a patient stays sealed.
    """
    patient = one(Patient.objects.filter(visible(by, Action.CREATE, Resource.STAFF_RECORD, "")).only("pk"), patient_id)
    if not User.objects.filter(pk=account_id).exclude(role__in=PATIENT_SIDE).exists():
        raise NotStaff
    lock(patient.pk)
    standing = _standing(patient_id).filter(account_index=blind("records.StaffRecord.account", account_id)).first()
    if standing is not None:
        return standing
    made = StaffRecord.objects.create(patient_id=patient_id, account=str(account_id), made_by=by.id)
    record(by, Act.STAFF_RECORD_LINKED, made)
    return made


@transaction.atomic
def unlink_staff(*, staff_record_id: UUID, by: Actor) -> StaffRecord:
    """From now on no longer; the row is kept. Ending what has ended changes nothing."""
    held = one(staff_records_for(by, Action.DELETE).select_for_update(), staff_record_id)
    if held.ended_at is None:
        held.ended_at = now()
        held.save(update_fields=["ended_at"])
        record(by, Act.STAFF_RECORD_ENDED, held)
    return held


def _standing(patient_id: UUID) -> QuerySet[StaffRecord]:
    return StaffRecord.objects.filter(patient_id=patient_id, ended_at=None)
