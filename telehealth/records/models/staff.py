from auditlog.registry import auditlog
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.ledger import uuid7
from telehealth.vault.fields import ACCOUNTS, SealedTextField
from telehealth.vault.models import SealedModel


class Sourced(models.Model):
    """A thing of the clinic or its neighbours, no PHI: kept in the clear, found again by identifier, else by full URL."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    identity = models.CharField(max_length=300, blank=True)  # "system|value"
    source_url = models.CharField(max_length=300, blank=True)
    source = models.JSONField(default=dict)
    source_digest = models.CharField(max_length=64, blank=True)  # SHA-256 of it as it came: JSON numbers change in the database
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["identity"], name="%(class)s_once_per_identity", condition=~Q(identity="")),
            models.UniqueConstraint(fields=["source_url"], name="%(class)s_once_per_full_url", condition=~Q(source_url="")),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Organization(Sourced):
    """A clinic, hospital or payer."""

    name = models.CharField(max_length=300, blank=True)


class Location(Sourced):
    """A place where care is given."""

    name = models.CharField(max_length=300, blank=True)


class Practitioner(Sourced):
    """Who gives care. One with an account works here; the others came with somebody's history."""

    account_id = models.UUIDField(null=True, unique=True)
    family = models.CharField(max_length=200, blank=True)
    given = models.CharField(max_length=200, blank=True)
    npi = models.CharField(max_length=64, blank=True)  # as it came, '40' included
    npi_valid = models.BooleanField(default=False)
    specialty = models.CharField(max_length=200, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    languages = models.JSONField(default=list)  # BCP 47 codes
    organization = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="practitioners")

    @property
    def name(self) -> str:
        """Given and family name, as a patient sees it."""
        return f"{self.given} {self.family}".strip()


class License(models.Model):
    """Leave to practise in one state (its two-letter code) for some time."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    practitioner = models.ForeignKey(Practitioner, models.CASCADE, related_name="licenses")
    state = models.CharField(max_length=2)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)  # the last day; null: open

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practitioner", "state", "valid_from"], name="license_given_once"),
            models.CheckConstraint(name="license_ends_after_it_starts", condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from"))),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class LicenseBasis(models.TextChoices):
    """By what somebody may treat patients of a state whose licence they do not hold."""

    COMPACT = "compact", _("Interstate compact")
    TELEHEALTH_REGISTRATION = "telehealth-registration", _("Registered for telehealth")
    EMERGENCY_WAIVER = "emergency-waiver", _("Waiver in an emergency")
    FEDERAL_FACILITY = "federal-facility", _("Federal facility")
    CONTINUITY_OF_CARE = "continuity-of-care", _("Continuity of care")


class LicenseException(models.Model):
    """What the law lets a practitioner, or everybody of the clinic, do in a state without its licence, for some time."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    practitioner = models.ForeignKey(Practitioner, models.CASCADE, null=True, blank=True, related_name="license_exceptions")
    state = models.CharField(max_length=2)
    basis = models.CharField(max_length=24, choices=LicenseBasis.choices)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)  # the last day; null: open

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["practitioner", "state", "basis", "valid_from"], name="license_exception_given_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="license_exception_ends_after_it_starts", condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from"))
            ),
            models.CheckConstraint(name="license_exception_basis_is_known", condition=Q(basis__in=LicenseBasis.values)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class DeaNumber(SealedModel):
    """The DEA registration number of a practitioner or an organisation, sealed under the accounts key: nobody's record."""

    holder_id = models.UUIDField(unique=True)  # a practitioner's or an organisation's; no reference, it may be either
    number = SealedTextField(key=ACCOUNTS)
    created_at = models.DateTimeField(auto_now_add=True)

    @property
    def record_id(self) -> None:  # type: ignore[override]  # of no record
        return None


auditlog.register(License)
auditlog.register(LicenseException)
