from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from audit.ledger import uuid7
from consults.states import ENDED, INSIDE, Appointment, Encounter, State, Waiting
from telehealth.records.models import Patient, Practitioner
from telehealth.vault.fields import ACCOUNTS, SealedJSONField, SealedTextField
from telehealth.vault.models import SealedModel


def _codes(machine: Any) -> list[tuple[str, str]]:
    return [(each.value, each.value) for each in machine]


class Visit(SealedModel):
    """One appointment's visit. What was said at check-in is of this visit, never taken from a profile."""

    appointment = models.OneToOneField("scheduling.Appointment", models.PROTECT, related_name="visit")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="visits")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="visits")
    status = models.CharField(max_length=12, choices=_codes(Encounter), default=Encounter.PLANNED)
    waiting = models.CharField(max_length=12, choices=_codes(Waiting), default=Waiting.EXPECTED)
    version = models.PositiveIntegerField(default=1)

    location = SealedJSONField(null=True)  # {line, city, state, postal_code}: where the patient is now
    callback = SealedTextField(default="")
    others_present = SealedTextField(default="")
    identity = SealedJSONField(null=True)  # {method, by, at}
    consents = SealedJSONField(null=True)  # [{code, version, by, at}]
    signal_key = SealedTextField(key=ACCOUNTS, default="")  # base64; seals signalling at rest, erased when the visit ends

    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    checked_in_at = models.DateTimeField(null=True)
    admitted_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    last_left_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="visit_status_is_known", condition=Q(status__in=[each.value for each in Encounter])),
            models.CheckConstraint(name="visit_waiting_is_known", condition=Q(waiting__in=[each.value for each in Waiting])),
            models.CheckConstraint(
                name="visit_ready_says_where_the_patient_is",
                condition=Q(waiting__in=["expected", "checking-in", "removed", "abandoned"]) | Q(location__isnull=False),
            ),
            models.CheckConstraint(
                name="visit_ended_has_its_time",
                condition=Q(status__in=["finished", "cancelled"], ended_at__isnull=False)
                | (~Q(status__in=["finished", "cancelled"]) & Q(ended_at=None)),
            ),
        ]
        indexes = [models.Index(fields=["practitioner", "waiting"], name="visit_queue")]

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def state(self) -> State:
        """The three machines now; reads the appointment."""
        return State(Waiting(self.waiting), Encounter(self.status), Appointment(self.appointment.status))

    @property
    def lets_patients_in(self) -> bool:
        return self.waiting in INSIDE and not self.ended


class Participant(models.Model):
    """One account's place in one visit; its id is what the others call `member`."""

    class Role(models.TextChoices):
        PROVIDER = "provider"
        PATIENT = "patient"
        PROXY = "proxy"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="participants")
    account_id = models.UUIDField()
    role = models.CharField(max_length=12, choices=Role.choices)
    admitted = models.BooleanField(default=False)
    joined_at = models.DateTimeField(null=True)
    left_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "account_id"], name="participant_once_per_visit"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def connected(self) -> bool:
        return self.joined_at is not None and self.left_at is None
