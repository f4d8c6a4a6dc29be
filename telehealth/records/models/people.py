from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from telehealth.records.digests import tokens_under
from telehealth.vault.fields import BlindIndexField, SealedJSONField, SealedTextField
from telehealth.vault.models import SealedModel


class Patient(SealedModel):
    """A person with a record: the record's key is named by this row's id. Duplicates are linked, never merged."""

    record_field = "id"

    account_id = models.UUIDField(null=True, unique=True)
    link = models.ForeignKey("self", models.PROTECT, null=True, related_name="duplicates")
    is_deceased = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    destroyed_at = models.DateTimeField(null=True, editable=False)  # from then on a tombstone: nobody finds it
    shred_columns = {"body_key": None, "source_key": None, "name_tokens": [], "name_tokens_next": None}

    mrn = SealedTextField()
    mrn_index = BlindIndexField("mrn", normalise="identifier", unique=True)
    mrn_index_next = BlindIndexField("mrn", normalise="identifier", unique=True, beside="mrn_index")
    family = SealedTextField(default="")
    given = SealedTextField(default="")
    birth_date = SealedTextField(null=True)  # FHIR date: YYYY, YYYY-MM or YYYY-MM-DD
    birth_date_index = BlindIndexField("birth_date", normalise="date")
    birth_date_index_next = BlindIndexField("birth_date", normalise="date", beside="birth_date_index")
    gender = SealedTextField(default="")
    phone = SealedTextField(null=True)
    phone_index = BlindIndexField("phone", normalise="phone")
    phone_index_next = BlindIndexField("phone", normalise="phone", beside="phone_index")
    email = SealedTextField(null=True)  # to reach them; the account has its own
    address = SealedJSONField(null=True)  # {line, city, state, postal_code, country}
    address_index = BlindIndexField("address", normalise="address")
    address_index_next = BlindIndexField("address", normalise="address", beside="address_index")
    deceased = SealedTextField(default="")  # when, if it is known
    language = SealedTextField(default="")  # BCP 47
    body = SealedTextField(default="")  # the FHIR Patient as JSON text
    body_key = models.BinaryField(max_length=32, null=True)  # keyed digest: tells unchanged without opening
    source_key = models.BinaryField(max_length=32, null=True, unique=True)  # keyed digest of the full URL
    name_tokens = ArrayField(models.IntegerField(), default=list)  # truncated keyed digests of prefixes
    name_tokens_next = ArrayField(models.IntegerField(), null=True, editable=False)  # while the index root changes
    search_tokens = {"name_tokens": (("family", "given"), tokens_under)}

    class Meta:
        indexes = [
            GinIndex(fields=["name_tokens"], name="patient_by_name_token"),
            models.Index(fields=["id"], condition=Q(destroyed_at__isnull=False), name="patient_destroyed"),
        ]


class PatientIdentifier(SealedModel):
    """A number under which somebody else knows this person: nobody else has it."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="identifiers")
    system = models.CharField(max_length=300)
    value = SealedTextField()
    value_index = BlindIndexField("value", normalise="identifier")
    value_index_next = BlindIndexField("value", normalise="identifier", beside="value_index")
    shred_columns = {"system": ""}

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "value_index"], name="identifier_of_one_patient"),
            models.UniqueConstraint(fields=["system", "value_index_next"], name="identifier_of_one_patient_next"),
        ]
