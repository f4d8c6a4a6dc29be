from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from auditlog.registry import auditlog
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.ledger import uuid7
from scheduling.hours import Hours
from scheduling.slots import Shape
from scheduling.statuses import CancelReason, OverbookCode, Status
from telehealth.records.models import Patient, Practitioner
from telehealth.vault.fields import SealedTextField
from telehealth.vault.models import SealedModel

MIDNIGHT = "00:00"


class Modality(models.TextChoices):
    VIDEO = "video", _("Video")
    AUDIO = "audio", _("Audio")


class VisitType(models.Model):
    """What can be booked: how long it takes, the provider's time around it, how soon and how far ahead. Minutes and days."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=100)
    modality = models.CharField(max_length=8, choices=Modality.choices, default=Modality.VIDEO)
    minutes = models.PositiveSmallIntegerField()
    step_minutes = models.PositiveSmallIntegerField(help_text=_("Distance between the starts that are offered."))
    buffer_before = models.PositiveSmallIntegerField(default=0)
    buffer_after = models.PositiveSmallIntegerField(default=0)
    lead_minutes = models.PositiveIntegerField(default=0)
    horizon_days = models.PositiveSmallIntegerField(default=60)
    checkin_opens_minutes = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Before the start; empty: from the moment of booking.")
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="visit_type_numbers_make_sense",
                condition=Q(minutes__range=(5, 480), step_minutes__range=(5, 480), horizon_days__range=(1, 730))
                & Q(buffer_before__lte=120, buffer_after__lte=120, lead_minutes__lte=43_200),
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def shape(self) -> Shape:
        """The same in seconds, for slot arithmetic."""
        return Shape(self.minutes * 60, self.step_minutes * 60, self.buffer_before * 60, self.buffer_after * 60)


class Availability(models.Model):
    """A provider's weekly hours by the clocks of a zone, on one weekday (Monday is 0); an end at 00:00 is midnight at its end."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="availability")
    weekday = models.PositiveSmallIntegerField()
    starts = models.TimeField()
    ends = models.TimeField()
    timezone = models.CharField(max_length=64)
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True, help_text=_("The last day."))

    class Meta:
        verbose_name_plural = "availability"
        constraints = [
            models.CheckConstraint(name="availability_on_a_weekday", condition=Q(weekday__lte=6)),
            models.CheckConstraint(name="availability_ends_after_it_starts", condition=Q(ends=MIDNIGHT) | Q(ends__gt=F("starts"))),
            models.CheckConstraint(
                name="availability_has_days", condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gte=F("valid_from"))
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def hours(self) -> Hours:
        """The same as a value, for the arithmetic."""
        return Hours(self.weekday, self.starts, self.ends, ZoneInfo(self.timezone), self.valid_from, self.valid_to)


class Appointment(SealedModel):
    """A visit agreed on. What it is about is sealed; who, with whom, when and how it stands is not.

    While it stands booked or arrived the parties' time is held by `Occupancy` rows: a deferred trigger of the
    database (`appointment_holds_its_time`) refuses to commit anything else, whoever writes.
    """

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="appointments")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="appointments")
    visit_type = models.ForeignKey(VisitType, models.PROTECT, related_name="appointments")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.BOOKED)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = SealedTextField(default="")
    cancelled_reason = models.CharField(max_length=16, choices=CancelReason.choices, blank=True)
    overbooked_by = models.UUIDField(null=True)  # the account
    overbooked_code = models.CharField(max_length=16, choices=OverbookCode.choices, blank=True)
    overbooked_reason = SealedTextField(null=True)
    created_by = models.UUIDField(null=True)  # the account
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

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


class Occupancy(models.Model):
    """One party's time taken: a provider's with buffers, a patient's without. Later an interpreter's, a room's."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.UUIDField()
    during = DateTimeRangeField()
    live = models.BooleanField(default=True)
    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="occupancies")
    held_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="occupancy_no_party_twice_at_once",
                expressions=[("party", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(live=True),
            ),
            models.CheckConstraint(name="occupancy_takes_some_time", condition=Q(during__isempty=False)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


# Clear, and seldom changed. Appointments are not: their services record one act each.
auditlog.register(VisitType)
auditlog.register(Availability)
