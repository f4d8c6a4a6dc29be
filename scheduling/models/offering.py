"""What is offered, and when somebody is there."""

from auditlog.registry import auditlog
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.ledger import uuid7
from scheduling.slots import Shape
from scheduling.statuses import Need


class Modality(models.TextChoices):
    VIDEO = "video", _("Video")
    AUDIO = "audio", _("Audio")


class WhoMayBook(models.TextChoices):
    ANYONE = "anyone", _("Anyone")
    ESTABLISHED = "established", _("Patients who were seen here before")
    NEW = "new", _("Patients who are new here")
    STAFF = "staff", _("Staff only")


class LateCancel(models.TextChoices):
    """What a patient's cancelling after the notice period comes to. Staff cancel at any time."""

    FLAG = "flag", _("Cancelled, and noted as late")
    REFUSE = "refuse", _("Refused: call the clinic")


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
    most_per_day = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Of this kind, for one provider, by the provider's days.")
    )
    who_may_book = models.CharField(max_length=12, choices=WhoMayBook.choices, default=WhoMayBook.ANYONE)
    needs = ArrayField(
        models.CharField(max_length=12, choices=Need.choices),
        default=list,
        blank=True,
        help_text=_("One of each is booked with the visit."),
    )
    capacity = models.PositiveSmallIntegerField(default=1, help_text=_("More than one: a group visit, its time taken once for all."))
    questionnaire = models.CharField(
        max_length=200, blank=True, help_text=_("Canonical address of the FHIR Questionnaire to fill in before.")
    )
    price_code = models.CharField(max_length=20, blank=True)
    cancel_notice_minutes = models.PositiveIntegerField(default=0, help_text=_("Before the start; a patient who cancels later is late."))
    late_cancel = models.CharField(max_length=8, choices=LateCancel.choices, default=LateCancel.FLAG)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="visit_type_numbers_make_sense",
                condition=Q(minutes__range=(5, 480), step_minutes__range=(5, 480), horizon_days__range=(1, 730))
                & Q(buffer_before__lte=120, buffer_after__lte=120, lead_minutes__lte=43_200)
                & Q(capacity__range=(1, 200), cancel_notice_minutes__lte=43_200)
                & (Q(most_per_day=None) | Q(most_per_day__gte=1)),
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def shape(self) -> Shape:
        """The same in seconds, for slot arithmetic."""
        return Shape(self.minutes * 60, self.step_minutes * 60, self.buffer_before * 60, self.buffer_after * 60)


# Clear, and seldom changed. Appointments are not: their services record one act each.
auditlog.register(VisitType)
