"""What has left, to whom and by what right (45 CFR 164.528). The runtime role may add rows and change none."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.review.basis import Basis, is_listed
from telehealth.core import now
from telehealth.records.models import Patient
from telehealth.vault.fields import SealedJSONField, SealedTextField
from telehealth.vault.models import SealedModel


class Disclosure(SealedModel):
    """One disclosure of one patient's data. Everything that tells is sealed, the legal basis too: that somebody was
    reported to an authority is health data. In the clear: whose, when, out of what, through which account."""

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="disclosures")
    at = models.DateTimeField(default=now)
    source_kind = models.CharField(max_length=60)  # what left: a model's label, an export, or "by_hand"
    source_id = models.UUIDField(null=True)
    made_by = models.UUIDField(null=True)  # the account; null: the system

    recipient = SealedJSONField()  # {name, address}
    what = SealedTextField()
    purpose = SealedTextField()
    basis = SealedTextField()

    class Meta:
        verbose_name = _("disclosure")
        verbose_name_plural = _("disclosures")
        constraints = [
            models.UniqueConstraint(fields=["patient", "source_kind", "source_id"], name="disclosure_once_per_source"),
        ]
        indexes = [models.Index(fields=["patient", "-at"], name="disclosure_of_patient")]

    @property
    def is_listed(self) -> bool:
        """Whether an accounting must list it. Opens the basis."""
        return is_listed(self.basis)


__all__ = ["Basis", "Disclosure"]
