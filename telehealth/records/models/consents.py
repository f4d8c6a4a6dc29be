from django.db import models
from django.db.models import F, Q

from telehealth.records.models.people import Patient
from telehealth.vault.fields import SealedTextField
from telehealth.vault.models import SealedModel


class ConsentScope(models.TextChoices):
    """What it is for (HL7 consentscope)."""

    TREATMENT = "treatment"
    PRIVACY = "patient-privacy"


class Recipient(models.TextChoices):
    """To whom: one practitioner, one role, or everybody who cares for the patient here."""

    PRACTITIONER = "practitioner"
    ROLE = "role"
    CARE_TEAM = "care_team"


class Consent(SealedModel):
    """The patient lets somebody who cares for them see one sensitive category, until it ends or is withdrawn. Kept for good."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consents")
    scope = models.CharField(max_length=16, choices=ConsentScope.choices)
    label = models.CharField(max_length=16)  # the category as rows carry it: a token of telehealth.records.labels
    category = SealedTextField()
    recipient = models.CharField(max_length=16, choices=Recipient.choices)
    practitioner = models.ForeignKey("records.Practitioner", models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=20, blank=True)
    text_version = models.CharField(max_length=20)  # of what the patient agreed to: settings.SHARING_CONSENTS
    given_by = models.UUIDField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    shred_columns = {"label": ""}

    class Meta:
        constraints = [
            models.CheckConstraint(name="consent_ends_after_it_starts", condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at"))),
            models.CheckConstraint(
                name="consent_names_its_recipient",
                condition=Q(recipient="practitioner", practitioner__isnull=False, role="")
                | (Q(recipient="role", practitioner=None) & ~Q(role=""))
                | Q(recipient="care_team", practitioner=None, role=""),
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-id"], name="consent_by_patient"),
            models.Index(fields=["withdrawn_at"], condition=Q(withdrawn_at__isnull=False), name="consent_withdrawn"),
            models.Index(fields=["ends_at"], condition=Q(ends_at__isnull=False), name="consent_ending"),
        ]
