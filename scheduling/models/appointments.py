"""What was agreed on."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.ledger import uuid7
from scheduling.models.offering import VisitType
from scheduling.statuses import CancelReason, OverbookCode, Status
from telehealth.records.models import Patient, Practitioner
from telehealth.vault.fields import SealedTextField
from telehealth.vault.models import SealedModel


class AppointmentSeries(models.Model):
    """Appointments that were booked as one: all of them or none. Each can be moved and cancelled by itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.CharField(max_length=200, help_text=_("RFC 5545 recurrence, in the provider's zone."))
    created_by = models.UUIDField(null=True)  # the account
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.pk)


class GroupVisit(models.Model):
    """One provider's time for several patients: the provider is taken once, by this; each patient by their own appointment."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="group_visits")
    visit_type = models.ForeignKey(VisitType, models.PROTECT, related_name="group_visits")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.PositiveSmallIntegerField()
    is_cancelled = models.BooleanField(default=False)
    created_by = models.UUIDField(null=True)  # the account
    created_at = models.DateTimeField(auto_now_add=True)

    places_left: int | None = None
    """Counted by who reads it for a face."""

    class Meta:
        constraints = [
            models.CheckConstraint(name="group_visit_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(name="group_visit_is_for_several", condition=Q(capacity__gte=2)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Appointment(SealedModel):
    """A visit agreed on. What it is about is sealed; who, with whom, when and how it stands is not.

    While it stands pending, booked or arrived the parties' time is held by `Occupancy` rows: a deferred trigger of the
    database (`appointment_holds_its_time`) refuses to commit anything else, whoever writes.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="appointments")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="appointments")
    visit_type = models.ForeignKey(VisitType, models.PROTECT, related_name="appointments")
    group_visit = models.ForeignKey("GroupVisit", models.PROTECT, null=True, related_name="appointments")
    series = models.ForeignKey("AppointmentSeries", models.PROTECT, null=True, related_name="appointments")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.BOOKED)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = SealedTextField(default="")
    patient_state = models.CharField(max_length=2, blank=True, help_text=_("Where the patient will be: the state's postal code."))
    confirmed_at = models.DateTimeField(null=True)  # the patient said that they will come
    cancelled_reason = models.CharField(max_length=16, choices=CancelReason.choices, blank=True)
    cancelled_late = models.BooleanField(default=False)
    cancelled_note = SealedTextField(null=True)
    overbooked_by = models.UUIDField(null=True)  # the account
    overbooked_code = models.CharField(max_length=16, choices=OverbookCode.choices, blank=True)
    overbooked_reason = SealedTextField(null=True)
    created_by = models.UUIDField(null=True)  # the account
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)
    sequence = models.PositiveIntegerField(default=0)  # RFC 5545, 3.8.7.4: grows when time or provider change, or it is called off

    held_until: datetime | None = None
    """Of one that is pending: until when. It stands in the `Occupancy` rows; who reads it for a face fills it in here."""

    class Meta:
        constraints = [
            models.CheckConstraint(name="appointment_status_is_of_fhir", condition=Q(status__in=Status.values)),
            models.CheckConstraint(name="appointment_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="appointment_cancelled_for_a_reason",
                condition=Q(status=Status.CANCELLED, cancelled_reason__in=CancelReason.values)
                | (~Q(status=Status.CANCELLED) & Q(cancelled_reason="")),
            ),
            models.CheckConstraint(
                name="appointment_overbooked_by_whom_and_why",
                condition=Q(overbooked_by=None, overbooked_code="", overbooked_reason__isnull=True)
                | Q(overbooked_by__isnull=False, overbooked_code__in=OverbookCode.values, overbooked_reason__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["starts_at", "id"], name="appointment_by_start"),
            models.Index(fields=["practitioner", "starts_at"], name="appointment_by_provider"),
        ]

    @property
    def checkin_opens_at(self) -> datetime:
        """From when the patient may check in: the moment of booking when the visit type sets no limit."""
        minutes = self.visit_type.checkin_opens_minutes
        return self.created_at if minutes is None else self.starts_at - timedelta(minutes=minutes)

    @property
    def is_overbooked(self) -> bool:
        return self.overbooked_by is not None
