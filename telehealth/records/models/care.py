from auditlog.registry import auditlog
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from audit.ledger import uuid7
from telehealth.records.models.people import Patient
from telehealth.records.models.staff import Practitioner


class CareSource(models.TextChoices):
    """Why somebody cares for somebody."""

    APPOINTMENT = "appointment"
    ASSIGNMENT = "assignment"


class CareRelationship(models.Model):
    """While it lasts, this practitioner sees this patient's record. Kept after its end as evidence."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="care")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="care")
    source = models.CharField(max_length=16, choices=CareSource.choices)
    source_id = models.UUIDField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "practitioner", "source", "source_id"], name="care_once_per_cause"),
            models.CheckConstraint(name="care_ends_after_it_starts", condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at"))),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ProxyRelationship(models.TextChoices):
    """In what capacity a proxy acts."""

    GUARDIAN = "guardian"


class ProxyGrant(models.Model):
    """While it lasts, this account acts for this patient."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="proxies")
    proxy = models.UUIDField()  # the account
    relationship = models.CharField(max_length=16, choices=ProxyRelationship.choices)
    granted_by = models.UUIDField(null=True)
    sees = ArrayField(models.CharField(max_length=16), default=list)  # sensitive categories, as tokens of telehealth.records.labels
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "proxy"], condition=Q(ends_at=None), name="proxy_once_at_a_time"),
            models.CheckConstraint(name="proxy_ends_after_it_starts", condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at"))),
        ]
        indexes = [models.Index(fields=["proxy"], name="proxy_by_account")]

    def __str__(self) -> str:
        return str(self.pk)


auditlog.register(ProxyGrant)
