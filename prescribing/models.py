"""Pharmacies and medications in the clear; prescriptions and their messages sealed where they tell about a patient.

A trigger (migration 0002) refuses any change of a signed prescription's content and of a message's body, also by SQL.
"""

import json
from datetime import timedelta

from django.db import models
from django.db.models import Q

from audit.ledger import uuid7
from consults.models import Visit
from prescribing.machine import Status
from telehealth.core import now
from telehealth.records.models import Patient, Practitioner
from telehealth.vault.cipher import Broken
from telehealth.vault.fields import SealedTextField
from telehealth.vault.models import SealedModel

CONFIRMED_WITHIN = timedelta(minutes=10)


class Pharmacy(models.Model):
    """Where prescriptions go, by NCPDP ID (seven digits, leading zeros kept)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    ncpdp_id = models.CharField(max_length=7, unique=True)
    npi = models.CharField(max_length=10, blank=True, default="")
    name = models.CharField(max_length=70)
    line = models.CharField(max_length=40)
    city = models.CharField(max_length=35)
    state = models.CharField(max_length=2)
    postal_code = models.CharField(max_length=9)
    phone = models.CharField(max_length=15)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="pharmacy_ncpdp_id_is_seven_digits", condition=Q(ncpdp_id__regex=r"^[0-9]{7}$")),
        ]

    def __str__(self) -> str:
        return self.name


class Medication(models.Model):
    """One line of the formulary: an RxNorm clinical drug, and how it is counted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rxcui = models.CharField(max_length=12, unique=True)
    term_type = models.CharField(max_length=4, default="SCD")
    name = models.CharField(max_length=70)
    strength = models.CharField(max_length=40, blank=True, default="")
    form = models.CharField(max_length=40)
    unit = models.CharField(max_length=10)  # NCIt code of the quantity's unit
    unit_name = models.CharField(max_length=20)
    schedule = models.CharField(max_length=3, blank=True, default="")  # DEA: II to V; empty: not controlled
    most_quantity = models.DecimalField(max_digits=11, decimal_places=3)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.description

    @property
    def description(self) -> str:
        """Name, strength and form, as SCRIPT's DrugDescription."""
        return " ".join(part for part in (self.name, self.strength, self.form) if part)


class Prescription(SealedModel):
    """One order. From signing on, `content` is what was signed, word for word, and nothing of it changes."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="prescriptions")
    prescriber = models.ForeignKey(Practitioner, models.PROTECT, related_name="+")
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="prescriptions")
    medication = models.ForeignKey(Medication, models.PROTECT, related_name="+")
    pharmacy = models.ForeignKey(Pharmacy, models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    failure = models.CharField(max_length=60, blank=True, default="")  # why `error`, as a code
    number = models.CharField(max_length=35, unique=True)  # SCRIPT's PrescriberOrderNumber
    quantity = models.DecimalField(max_digits=11, decimal_places=3)
    days_supply = models.PositiveSmallIntegerField()
    refills = models.PositiveSmallIntegerField(default=0)
    substitution = models.BooleanField(default=True)
    sig = SealedTextField()
    note = SealedTextField(blank=True, default="")
    created_at = models.DateTimeField(default=now)
    signed_at = models.DateTimeField(null=True, blank=True)
    content = SealedTextField(null=True)  # canonical JSON
    digest = models.BinaryField(null=True)
    signature = models.BinaryField(null=True)
    key_id = models.UUIDField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)  # when the network had it
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="prescription_signed_in_full_or_not_at_all",
                condition=Q(
                    status__in=[Status.DRAFT, Status.CANCELLED],
                    signed_at__isnull=True,
                    content__isnull=True,
                    digest__isnull=True,
                    signature__isnull=True,
                    key_id__isnull=True,
                )
                | (
                    Q(signed_at__isnull=False, content__isnull=False, digest__isnull=False, signature__isnull=False)
                    & ~Q(status__in=[Status.DRAFT, Status.CANCELLED])
                    & Q(key_id__isnull=False)
                ),
            ),
            models.CheckConstraint(name="prescription_quantity_is_positive", condition=Q(quantity__gt=0)),
        ]
        indexes = [models.Index(fields=["patient", "-created_at"], name="prescription_of_patient")]

    @property
    def drug(self) -> str:
        """What is prescribed, in the words that were signed; before that in the formulary's."""
        return str(self._signed("medication", "description")) if self.signed_at else self.medication.description

    @property
    def pharmacy_name(self) -> str:
        """Where it goes, as it was signed; before that as the pharmacy is called."""
        return str(self._signed("pharmacy", "name")) if self.signed_at else self.pharmacy.name

    def _signed(self, part: str, name: str) -> object:
        try:
            found: dict[str, dict[str, object]] = json.loads(self.content or "{}")
            return found[part][name]
        except (Broken, ValueError, KeyError):  # no longer what was signed; `intact` says so, and nothing is made up here
            return ""

    @property
    def unconfirmed(self) -> bool:
        """Signed ten minutes ago and no word from the pharmacy: somebody should call there."""
        waiting = self.status in (Status.QUEUED, Status.SENT) and self.signed_at is not None
        return waiting and self.signed_at is not None and now() - self.signed_at > CONFIRMED_WITHIN


class Direction(models.TextChoices):
    OUT = "out"
    IN = "in"


class ScriptMessage(SealedModel):
    """One SCRIPT message about a prescription, as it left or as it came. `status_code` is the last answer to it."""

    prescription = models.ForeignKey(Prescription, models.PROTECT, related_name="messages")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    direction = models.CharField(max_length=3, choices=Direction.choices)
    partner = models.CharField(max_length=35)  # the other side's id
    kind = models.CharField(max_length=20)
    message_id = models.CharField(max_length=35)
    relates_to = models.CharField(max_length=35, blank=True, default="")
    body = SealedTextField()
    digest = models.BinaryField()
    status_code = models.CharField(max_length=20, blank=True, default="")
    at = models.DateTimeField(default=now)
    answered_at = models.DateTimeField(null=True, blank=True)
    shred_columns = {"digest": b""}  # of short texts: it would confirm a guess

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message_id"], condition=Q(direction=Direction.OUT), name="script_message_id_ours_is_unique_for_ever"
            ),
            models.UniqueConstraint(
                fields=["partner", "message_id"],
                condition=Q(direction=Direction.IN),
                name="script_message_of_a_partner_comes_once",
            ),
        ]


SIGNED_COLUMNS: tuple[str, ...] = (
    *("id", "patient_id", "prescriber_id", "visit_id", "medication_id", "pharmacy_id", "number", "quantity", "days_supply"),
    *("refills", "substitution", "sig", "note", "created_at", "signed_at", "content", "digest", "signature", "key_id"),
)
"""What the trigger holds still once a prescription is signed; a test compares it with the table."""
