from auditlog.registry import auditlog
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

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


class Covering(models.Model):
    """While it lasts, one practitioner stands in for another and sees whom the other cares for."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    covered = models.ForeignKey(Practitioner, models.PROTECT, related_name="covered_by")
    covering = models.ForeignKey(Practitioner, models.PROTECT, related_name="covers")
    arranged_by = models.UUIDField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="covering_ends_after_it_starts", condition=Q(ends_at__gte=F("starts_at"))),
            models.CheckConstraint(name="covering_is_by_another", condition=~Q(covered=F("covering"))),
        ]
        indexes = [models.Index(fields=["covering", "-ends_at"], name="covering_by_practitioner")]

    def __str__(self) -> str:
        return str(self.pk)


class ProxyRelationship(models.TextChoices):
    """In what capacity a proxy acts."""

    GUARDIAN = "guardian"
    DELEGATE = "delegate"  # an adult whom the patient chose


class ProxyScope(models.TextChoices):
    """What a proxy may do and see."""

    SCHEDULE = "schedule"
    MESSAGES = "messages"
    VISITS = "visits"
    RECORD = "record"


def every_scope() -> list[str]:
    """A guardian's grant names them all."""
    return list(ProxyScope.values)


class ProxyGrant(models.Model):
    """While it lasts, this account acts for this patient."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="proxies")
    proxy = models.UUIDField()  # the account
    relationship = models.CharField(max_length=16, choices=ProxyRelationship.choices)
    granted_by = models.UUIDField(null=True)
    scopes = ArrayField(models.CharField(max_length=16, choices=ProxyScope.choices), default=every_scope)
    of_minor = models.BooleanField(default=False)  # it ends when the patient comes of age
    sees = ArrayField(models.CharField(max_length=16), default=list)  # sensitive categories, as tokens of telehealth.records.labels
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="proxy_once_at_a_time",
                expressions=[
                    ("patient", RangeOperators.EQUAL),
                    ("proxy", RangeOperators.EQUAL),
                    (Func(F("starts_at"), F("ends_at"), function="tstzrange", output_field=DateTimeRangeField()), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(name="proxy_ends_after_it_starts", condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at"))),
            models.CheckConstraint(name="proxy_scopes_are_known", condition=Q(scopes__contained_by=ProxyScope.values)),
        ]
        indexes = [models.Index(fields=["proxy"], name="proxy_by_account")]

    def __str__(self) -> str:
        return str(self.pk)


class ProxyOffer(models.Model):
    """What an invitation to act for somebody will grant when it is accepted. Its id is the invitation's."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="proxy_offers")
    scopes = ArrayField(models.CharField(max_length=16, choices=ProxyScope.choices))
    sees = ArrayField(models.CharField(max_length=16), default=list)
    ends_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.pk)


auditlog.register(ProxyGrant)
