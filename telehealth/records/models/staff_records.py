from django.db import models
from django.db.models import Q

from telehealth.records.models.people import Patient
from telehealth.vault.fields import BlindIndexField, SealedTextField
from telehealth.vault.models import SealedModel


class StaffRecord(SealedModel):
    """Somebody of the staff is this patient too: their account here, and the record that they must not open at work.

    The account is sealed, for staff stand in the clear by name: that one of them is a patient is health data.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="staff_records")
    account = SealedTextField()  # the id of the staff account
    account_index = BlindIndexField("account", normalise="exact")
    account_index_next = BlindIndexField("account", normalise="exact", beside="account_index")
    made_by = models.UUIDField(null=True)
    made_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "account_index"], condition=Q(ended_at=None), name="staff_record_once_at_a_time"),
            models.UniqueConstraint(
                fields=["patient", "account_index_next"], condition=Q(ended_at=None), name="staff_record_once_at_a_time_next"
            ),
        ]
