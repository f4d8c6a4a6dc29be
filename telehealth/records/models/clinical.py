from django.contrib.postgres.fields import ArrayField
from django.db import models

from telehealth.records.models.people import Patient
from telehealth.vault.fields import SealedTextField
from telehealth.vault.models import SealedModel


class ClinicalResource(SealedModel):
    """One FHIR resource of a record. Its type, status, code and time are in the clear, its body is not."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="resources")
    type = models.CharField(max_length=64)
    category = models.CharField(max_length=64, blank=True)
    code_system = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=64, blank=True)  # "~" and a keyed token where the code itself tells too much
    status = models.CharField(max_length=64, blank=True)
    date = models.DateTimeField(null=True)
    labels = ArrayField(models.CharField(max_length=16), default=list)  # sensitive categories, as tokens of telehealth.records.labels
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    body = SealedTextField()  # FHIR JSON, with our ids
    body_key = models.BinaryField(max_length=32)  # keyed digest: tells unchanged without opening
    identifier_key = models.BinaryField(max_length=32, null=True)  # keyed digests of where it came from
    source_key = models.BinaryField(max_length=32, null=True)
    shred_columns = {
        "category": "",
        "code_system": "",
        "code": "",
        "labels": [],
        "body_key": b"",
        "identifier_key": None,
        "source_key": None,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "type", "source_key"], name="resource_once_per_full_url"),
            models.UniqueConstraint(fields=["patient", "type", "identifier_key"], name="resource_once_per_identifier"),
        ]
        indexes = [models.Index(fields=["patient", "type", "-id"], name="resource_by_type")]


class ClinicalResourceVersion(SealedModel):
    """What a resource, or without one the patient's own entry, said before it was changed. Only ever added to."""

    resource = models.ForeignKey(ClinicalResource, models.PROTECT, null=True, related_name="history")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="history")
    version = models.PositiveIntegerField()
    recorded_at = models.DateTimeField()  # when this version was written
    replaced_at = models.DateTimeField(auto_now_add=True)
    body = SealedTextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "resource", "version"], name="version_kept_once", nulls_distinct=False)]
