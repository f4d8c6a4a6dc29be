"""What the detectors found for a privacy officer to look at, and how far they have read."""

from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from telehealth.core import now
from telehealth.vault.fields import SealedJSONField, SealedTextField
from telehealth.vault.models import SealedModel

REVIEW = UUID("00000000-0000-4000-8000-0000000000f1")
"""The one key of the review. It seals which detector spoke: that a patient shares a clinician's surname is health data."""


class Detector(models.TextChoices):
    """What may be wrong with a look. The codes are kept sealed."""

    OWN_RECORD = "own_record", _("one's own record")
    SAME_SURNAME = "same_surname", _("same surname")
    SAME_ADDRESS = "same_address", _("same address")
    COLLEAGUE = "colleague", _("a colleague's record")
    NO_RELATIONSHIP = "no_relationship", _("no care relationship")
    VOLUME = "volume", _("more records than usual")
    OFF_HOURS = "off_hours", _("off hours")
    EMERGENCY = "emergency", _("emergency access")


class State(models.TextChoices):
    OPEN = "open", _("open")
    CLOSED = "closed", _("closed")


class Verdict(models.TextChoices):
    """What a privacy officer made of it. Codes: the ledger keeps them."""

    JUSTIFIED = "justified", _("justified: there was a reason")
    MISTAKE = "mistake", _("mistake: wrong record, nothing used")
    VIOLATION = "violation", _("violation: no right to look")
    INCIDENT = "incident", _("incident: to be assessed as a breach")
    NOISE = "noise", _("the detector was wrong")


class Finding(SealedModel):
    """One reason to ask why somebody opened a record, once per detector, actor, record and day.

    `record` is the patient's, whose key seals the note; of what is about no single record (a volume) it is REVIEW.
    """

    record_field = "record"

    record = models.UUIDField()
    entry_id = models.UUIDField()  # the first entry that gave cause
    last_entry_id = models.UUIDField()
    actor_id = models.UUIDField()
    role = models.CharField(max_length=20)
    day = models.DateField()  # of the clinic
    found_at = models.DateTimeField(default=now)
    detector = SealedTextField(key=REVIEW)
    facts = SealedJSONField(key=REVIEW)  # codes and counts
    once = models.BinaryField(max_length=32)  # keyed digest of detector, actor, record, day and round
    due_at = models.DateTimeField(null=True)  # emergency access: when it must have been looked at
    escalated_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    verdict = models.CharField(max_length=12, choices=Verdict.choices, blank=True)
    closed_by = models.UUIDField(null=True)
    closed_at = models.DateTimeField(null=True)
    note = SealedTextField(null=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [
            models.UniqueConstraint(fields=["once"], name="finding_once_per_detector_actor_record_and_day"),
            models.CheckConstraint(
                name="finding_closed_by_somebody_with_a_verdict",
                condition=(
                    Q(state=State.OPEN, verdict="", closed_by=None, closed_at=None, note__isnull=True)
                    | Q(state=State.CLOSED, verdict__in=Verdict.values, closed_by__isnull=False, closed_at__isnull=False)
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="finding_queue"),
            models.Index(fields=["record", "-id"], name="finding_by_record"),
            models.Index(fields=["actor_id", "-id"], name="finding_by_actor"),
            models.Index(F("due_at"), name="finding_due", condition=Q(state=State.OPEN, due_at__isnull=False)),
        ]

    @property
    def patient_id(self) -> UUID | None:
        """Whose record; None where it is about no single one."""
        return None if self.record == REVIEW else self.record


class Watermark(models.Model):
    """How far a reader of the log has come: the first leaf that it has not looked at."""

    name = models.CharField(max_length=40, primary_key=True)
    leaf = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name
