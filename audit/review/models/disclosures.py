"""What has left, to whom and by what right (45 CFR 164.528). The runtime role may add rows and change none."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from telehealth.core import now
from telehealth.records.models import Patient
from telehealth.vault.fields import SealedJSONField, SealedTextField
from telehealth.vault.models import SealedModel


class Basis(models.TextChoices):
    """By what right something was disclosed: the paragraph of 45 CFR Part 164."""

    TREATMENT = "treatment", _("Treatment, 164.506(c)")
    PAYMENT = "payment", _("Payment, 164.506(c)")
    OPERATIONS = "operations", _("Health care operations, 164.506(c)")
    INDIVIDUAL = "individual", _("To the individual or their representative, 164.502(a)(1)(i)")
    INCIDENTAL = "incidental", _("Incident to a permitted use, 164.502(a)(1)(iii)")
    AUTHORIZATION = "authorization", _("Signed authorization, 164.508")
    DIRECTORY = "directory", _("Facility directory, 164.510(a)")
    INVOLVED_IN_CARE = "involved_in_care", _("Persons involved in the care, notification, 164.510(b)")
    NATIONAL_SECURITY = "national_security", _("National security and intelligence, 164.512(k)(2)")
    CUSTODY = "custody", _("Correctional institution or custody, 164.512(k)(5)")
    LIMITED_DATA_SET = "limited_data_set", _("Limited data set, 164.514(e)")
    REQUIRED_BY_LAW = "required_by_law", _("Required by law, 164.512(a)")
    PUBLIC_HEALTH = "public_health", _("Public health, 164.512(b)")
    ABUSE = "abuse", _("Victims of abuse, neglect or violence, 164.512(c)")
    OVERSIGHT = "oversight", _("Health oversight, 164.512(d)")
    JUDICIAL = "judicial", _("Judicial and administrative proceedings, 164.512(e)")
    LAW_ENFORCEMENT = "law_enforcement", _("Law enforcement, 164.512(f)")
    DECEDENTS = "decedents", _("Coroners and funeral directors, 164.512(g)")
    DONATION = "donation", _("Organ and tissue donation, 164.512(h)")
    RESEARCH = "research", _("Research without authorization, 164.512(i)")
    THREAT = "threat", _("Serious and imminent threat, 164.512(j)")
    GOVERNMENT = "government", _("Other government functions, 164.512(k)")
    WORKERS_COMPENSATION = "workers_compensation", _("Workers' compensation, 164.512(l)")
    SECRETARY = "secretary", _("Secretary of Health and Human Services, 164.502(a)(2)(ii)")
    NOT_PERMITTED = "not_permitted", _("Not permitted: an incident or a mistake")


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
