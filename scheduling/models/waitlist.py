"""Who would like a time that is not free now, and what they were offered when it became so."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.ledger import uuid7
from scheduling.models.appointments import Appointment
from scheduling.models.offering import VisitType
from scheduling.statuses import OfferState, PartOfDay, Urgency, WaitlistStatus
from telehealth.records.models import Patient, Practitioner
from telehealth.vault.fields import SealedTextField
from telehealth.vault.models import SealedModel

LASTING = (WaitlistStatus.WAITING, WaitlistStatus.OFFERED)


class WaitlistEntry(SealedModel):
    """A wish for a start between two instants, served by urgency and then by who came first. What was said with it is sealed."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="waitlist")
    visit_type = models.ForeignKey(VisitType, models.PROTECT, related_name="waitlist")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, null=True, related_name="waitlist", help_text=_("Empty: anybody."))
    earliest = models.DateTimeField()
    latest = models.DateTimeField()
    parts_of_day = ArrayField(models.CharField(max_length=12, choices=PartOfDay.choices), default=list)
    timezone = models.CharField(max_length=64, help_text=_("By whose clock the parts of the day are."))
    urgency = models.PositiveSmallIntegerField(choices=Urgency.choices, default=Urgency.ROUTINE)
    patient_state = models.CharField(max_length=2, blank=True, help_text=_("Where the patient will be: the state's postal code."))
    note = SealedTextField(default="")
    status = models.CharField(max_length=12, choices=WaitlistStatus.choices, default=WaitlistStatus.WAITING)
    created_by = models.UUIDField(null=True)  # the account
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="waitlist_once_at_a_time",
                fields=["patient", "visit_type", "practitioner"],
                condition=Q(status__in=LASTING),
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="waitlist_ends_after_it_starts", condition=Q(latest__gt=F("earliest"))),
            models.CheckConstraint(name="waitlist_status_is_known", condition=Q(status__in=WaitlistStatus.values)),
            models.CheckConstraint(name="waitlist_urgency_is_known", condition=Q(urgency__in=Urgency.values)),
            models.CheckConstraint(name="waitlist_parts_of_day_are_known", condition=Q(parts_of_day__contained_by=PartOfDay.values)),
        ]
        indexes = [
            models.Index(fields=["urgency", "created_at", "id"], condition=Q(status=WaitlistStatus.WAITING), name="waitlist_in_order")
        ]


class WaitlistOffer(models.Model):
    """One start, held for who waited until they answer or the time runs out. Nobody is offered the same start twice."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    entry = models.ForeignKey(WaitlistEntry, models.PROTECT, related_name="offers")
    appointment = models.OneToOneField(Appointment, models.PROTECT, related_name="waitlist_offer")
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    offered_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=OfferState.choices, default=OfferState.OPEN)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="waitlist_one_open_offer_per_entry", fields=["entry"], condition=Q(state=OfferState.OPEN)),
            models.UniqueConstraint(name="waitlist_no_start_offered_twice", fields=["entry", "practitioner", "starts_at"]),
            models.CheckConstraint(name="waitlist_offer_state_is_known", condition=Q(state__in=OfferState.values)),
            models.CheckConstraint(
                name="waitlist_offer_answered_has_its_time",
                condition=Q(state=OfferState.OPEN, answered_at=None) | (~Q(state=OfferState.OPEN) & Q(answered_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
