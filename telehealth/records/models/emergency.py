from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from telehealth.records.models.people import Patient
from telehealth.vault.fields import SealedTextField
from telehealth.vault.models import SealedModel

EMERGENCY_LASTS = timedelta(minutes=60)


class EmergencyReason(models.TextChoices):
    """Why somebody who has no care relationship must see a record now."""

    UNRESPONSIVE = "unresponsive"  # the patient cannot speak for themselves
    LIFE_THREATENING = "life_threatening"
    CARE_TEAM_ABSENT = "care_team_absent"  # nobody who cares for the patient can be reached in time
    PUBLIC_SAFETY = "public_safety"  # a serious and imminent threat, 45 CFR 164.512(j)


class EmergencyAccess(SealedModel):
    """One person saw one record without a care relationship, for an hour at most (45 CFR 164.312(a)(2)(ii)). Kept for good."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="emergencies")
    account = models.UUIDField()
    session = models.CharField(max_length=64)  # opaque, as in the ledger: evidence of where it was declared
    reason_code = models.CharField(max_length=20, choices=EmergencyReason.choices)
    text = SealedTextField()
    sees = ArrayField(models.CharField(max_length=16), default=list)  # sensitive categories, as tokens of telehealth.records.labels
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="emergency_lasts_an_hour_at_most", condition=Q(ends_at__lte=F("starts_at") + EMERGENCY_LASTS)),
            models.CheckConstraint(name="emergency_ends_after_it_starts", condition=Q(ends_at__gte=F("starts_at"))),
            models.CheckConstraint(name="emergency_reason_is_known", condition=Q(reason_code__in=EmergencyReason.values)),
        ]
        indexes = [models.Index(fields=["account", "-ends_at"], name="emergency_by_account")]
