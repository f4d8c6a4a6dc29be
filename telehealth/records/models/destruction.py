from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.ledger import uuid7
from telehealth.records.models.people import Patient
from telehealth.vault.fields import SealedTextField
from telehealth.vault.models import SealedModel


class HoldReason(models.TextChoices):
    """Why a record must be kept, whatever else would let it go."""

    LITIGATION = "litigation", _("Litigation")
    INVESTIGATION = "investigation", _("Investigation")
    AUDIT = "audit", _("Audit")
    OTHER = "other", _("Other")


class LegalHold(SealedModel):
    """While it stands, the record is not destroyed: a trigger keeps its key, whoever deletes."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="holds")
    code = models.CharField(_("reason"), max_length=16, choices=HoldReason.choices)
    why = SealedTextField(verbose_name=_("in words"))
    placed_by = models.UUIDField()
    placed_at = models.DateTimeField(auto_now_add=True)
    lifted_by = models.UUIDField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        constraints = [
            models.CheckConstraint(
                name="hold_is_lifted_by_somebody",
                condition=Q(lifted_at=None, lifted_by=None) | Q(lifted_at__isnull=False, lifted_by__isnull=False),
            ),
        ]


class DestructionReason(models.TextChoices):
    """Why a record may go."""

    RETENTION_OVER = "retention_over", _("The time for which it must be kept is over")
    COURT_ORDER = "court_order", _("A court's order")
    PERSON_ASKED = "person_asked", _("The person asked for it, and the law allows it")
    MADE_IN_ERROR = "made_in_error", _("It was made in error")


class Destruction(SealedModel):
    """That a record shall be destroyed: asked for by one person, approved by another, done by the database's owner.

    The words are sealed with the record, and go with it; codes, people and times stay.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="destructions")
    code = models.CharField(_("reason"), max_length=16, choices=DestructionReason.choices)
    why = SealedTextField(verbose_name=_("in words"))
    requested_by = models.UUIDField()
    requested_at = models.DateTimeField(auto_now_add=True)
    approved_by = models.UUIDField(null=True)
    approved_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("destruction of a record")
        verbose_name_plural = _("destructions of records")
        constraints = [
            models.CheckConstraint(name="destruction_takes_two_people", condition=Q(approved_by=None) | ~Q(approved_by=F("requested_by"))),
            models.CheckConstraint(
                name="destruction_is_approved_by_somebody",
                condition=Q(approved_at=None, approved_by=None) | Q(approved_at__isnull=False, approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="destruction_is_done_when_approved_and_not_withdrawn",
                condition=Q(done_at=None) | Q(approved_at__isnull=False, withdrawn_at=None),
            ),
            models.UniqueConstraint(fields=["patient"], condition=Q(withdrawn_at=None), name="destruction_once_at_a_time"),
        ]
