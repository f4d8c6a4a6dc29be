"""When somebody is there: what was said, by the clocks of a zone, and the spans of real time that come of it."""

from auditlog.registry import auditlog
from django.contrib.postgres.fields import DateTimeRangeField
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.ledger import uuid7
from scheduling.hours import Hours, stretch
from scheduling.models.offering import VisitType
from scheduling.recurrence import LONGEST
from scheduling.spans import Span
from scheduling.zones import Zones
from telehealth.records.models import Practitioner

MIDNIGHT = "00:00"


class Availability(models.Model):
    """A provider's hours: on the days of a rule, by the clocks of a zone; an end at 00:00 is midnight at the day's end."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="availability")
    rrule = models.CharField(
        max_length=LONGEST, help_text=_("RFC 5545 recurrence, as FREQ=WEEKLY;BYDAY=MO,TU; it counts from the first day.")
    )
    starts = models.TimeField()
    ends = models.TimeField()
    timezone = models.CharField(max_length=64)
    valid_from = models.DateField(null=True, blank=True, help_text=_("The first day."))
    valid_to = models.DateField(null=True, blank=True, help_text=_("The last day."))
    visit_types = models.ManyToManyField(VisitType, blank=True, related_name="+", help_text=_("Only for these; none: for all."))

    class Meta:
        verbose_name_plural = "availability"
        constraints = [
            models.CheckConstraint(name="availability_recurs", condition=Q(rrule__regex="^FREQ=(DAILY|WEEKLY|MONTHLY)(;|$)")),
            models.CheckConstraint(name="availability_ends_after_it_starts", condition=Q(ends=MIDNIGHT) | Q(ends__gt=F("starts"))),
            models.CheckConstraint(
                name="availability_has_days", condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gte=F("valid_from"))
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def kinds(self) -> list[str]:
        """The codes of the visit types for which it is; none: for all."""
        return sorted(kind.code for kind in self.visit_types.all())

    def hours(self, zones: Zones) -> Hours:
        """The same as a value, for the arithmetic."""
        return Hours(self.rrule, self.starts, self.ends, zones.zone(self.timezone), self.valid_from, self.valid_to)


class AvailabilityException(models.Model):
    """One stretch of time that differs from the rules: somebody's time off or extra hours, or the whole clinic closed."""

    class Kind(models.TextChoices):
        OFF = "off", _("Not there")
        EXTRA = "extra", _("There in addition")

    class Code(models.TextChoices):
        VACATION = "vacation", _("Vacation")
        SICK = "sick", _("Sick")
        TRAINING = "training", _("Training")
        MEETING = "meeting", _("Meeting")
        HOLIDAY = "holiday", _("Public holiday")
        MAINTENANCE = "maintenance", _("Maintenance")
        BLOCKED = "blocked", _("Kept free")
        DEMAND = "demand", _("More is asked for")
        OTHER = "other", _("Another reason")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    practitioner = models.ForeignKey(
        Practitioner, models.PROTECT, null=True, blank=True, related_name="exceptions", help_text=_("None: the whole clinic.")
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.OFF)
    code = models.CharField(max_length=16, choices=Code.choices)
    first_day = models.DateField()
    starts = models.TimeField(default=MIDNIGHT)
    last_day = models.DateField()
    ends = models.TimeField(default=MIDNIGHT, help_text=_("00:00 is midnight at the end of the last day."))
    timezone = models.CharField(max_length=64)
    visit_types = models.ManyToManyField(VisitType, blank=True, related_name="+", help_text=_("Only for these; none: for all."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="exception_ends_after_it_starts",
                condition=Q(last_day__gt=F("first_day")) | Q(last_day=F("first_day")) & (Q(ends=MIDNIGHT) | Q(ends__gt=F("starts"))),
            ),
            models.CheckConstraint(name="exception_extra_is_somebodys", condition=~Q(kind="extra") | Q(practitioner__isnull=False)),
            models.CheckConstraint(name="exception_kind_is_known", condition=Q(kind__in=["off", "extra"])),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def kinds(self) -> list[str]:
        """The codes of the visit types for which it is; none: for all."""
        return sorted(kind.code for kind in self.visit_types.all())

    def span(self, zones: Zones) -> Span | None:
        """The same in real time."""
        return stretch(self.first_day, self.starts, self.last_day, self.ends, zones.zone(self.timezone))


class Schedule(models.Model):
    """How far a provider's hours are expanded, and by which time zone database."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    practitioner = models.OneToOneField(Practitioner, models.PROTECT, related_name="schedule")
    expanded_until = models.DateTimeField()
    tz_version = models.CharField(max_length=20)
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return str(self.pk)


class Source(models.TextChoices):
    """What an opening comes of; `source_id` is the row's, or the calendar's."""

    RULE = "rule", _("Hours")
    EXCEPTION = "exception", _("Exception")
    CALENDAR = "calendar", _("Calendar")


class Opening(models.Model):
    """A span in which a provider is there (`opens`), or is not whatever else opens; for one visit type or for all.

    Derived: the services rewrite these rows when what they come of changes. The start is the origin of its slots.
    """

    id = models.BigAutoField(primary_key=True)
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="openings", db_index=False)
    during = DateTimeRangeField()
    opens = models.BooleanField()
    visit_type = models.ForeignKey(VisitType, models.CASCADE, null=True, related_name="+", db_index=False)
    source = models.CharField(max_length=12, choices=Source.choices)
    source_id = models.UUIDField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="opening_takes_some_time", condition=Q(during__isempty=False)),
            models.CheckConstraint(name="opening_source_is_known", condition=Q(source__in=["rule", "exception", "calendar"])),
        ]
        indexes = [GistIndex(fields=["practitioner", "during"], name="opening_by_provider")]

    def __str__(self) -> str:
        return str(self.pk)


# Clear, and seldom changed. Openings are derived from these.
auditlog.register(Availability)
auditlog.register(AvailabilityException)
