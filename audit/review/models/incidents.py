"""Something went wrong with an account, a session or an app; and whose data it could have touched (45 CFR 164.400-414)."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.review.models.findings import REVIEW
from telehealth.core import now
from telehealth.records.models import Patient
from telehealth.vault.fields import SealedJSONField, SealedTextField
from telehealth.vault.models import SealedModel


class Subject(models.TextChoices):
    """What was misused: the ledger's column that says who acted."""

    ACCOUNT = "account", _("Account")
    SESSION = "session", _("Session")
    CLIENT = "client", _("App")


class Conclusion(models.TextChoices):
    """What the assessment came to (164.402)."""

    BREACH = "breach", _("Breach")
    LOW_PROBABILITY = "low_probability", _("Low probability of compromise, by the four factors")
    GOOD_FAITH = "good_faith", _("Good faith access within one's work")
    INADVERTENT = "inadvertent", _("Inadvertent disclosure between authorized persons")
    NOT_RETAINED = "not_retained", _("The recipient could not have retained it")
    SECURED = "secured", _("The data was secured")


class Notice(models.TextChoices):
    """Who must be told of a breach."""

    INDIVIDUALS = "individuals", _("The individuals, 164.404")
    MEDIA = "media", _("The media, 164.406")
    SECRETARY = "secretary", _("The Secretary of Health and Human Services, 164.408")


class Incident(SealedModel):
    """From when to when one account, session or app was not to be trusted. Belongs to no record; its texts are sealed
    under the key of the review. The counts are of the last survey."""

    subject_kind = models.CharField(_("kind"), max_length=10, choices=Subject.choices)
    subject = models.CharField(_("account id, session or app"), max_length=255)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    discovered_on = models.DateField(_("discovered on"))
    delayed_until = models.DateField(_("delayed until"), null=True, blank=True)  # 164.412
    opened_at = models.DateTimeField(default=now, editable=False)
    surveyed_at = models.DateTimeField(null=True, editable=False)
    people = models.PositiveIntegerField(null=True, editable=False)
    verdict = models.CharField(_("verdict"), max_length=20, choices=Conclusion.choices, blank=True, default="")
    assessed_at = models.DateTimeField(null=True, editable=False)
    individuals_told_on = models.DateField(null=True, blank=True)
    media_told_on = models.DateField(null=True, blank=True)
    secretary_told_on = models.DateField(null=True, blank=True)
    reminded_day = models.PositiveSmallIntegerField(default=0, editable=False)

    summary = SealedTextField(key=REVIEW, default="")
    assessment = SealedJSONField(key=REVIEW, null=True)  # {nature, recipient, acquired, mitigation}
    counts = SealedJSONField(key=REVIEW, null=True)  # {states: {code: people}, kinds: {code: people}}

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = [
            models.CheckConstraint(name="incident_ends_after_it_starts", condition=Q(ends_at__gte=F("starts_at"))),
            models.CheckConstraint(
                name="incident_is_assessed_after_its_survey",
                condition=Q(verdict="", assessed_at=None) | (~Q(verdict="") & Q(assessed_at__isnull=False, surveyed_at__isnull=False)),
            ),
        ]

    @property
    def record_id(self) -> None:  # type: ignore[override]  # of no record
        return None


class Affected(SealedModel):
    """One record that an incident could have touched. What kinds of data, and where the person lives, is sealed."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="affected")
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    entries = models.PositiveIntegerField()
    kinds = SealedJSONField()  # codes of `audit.review.kinds`
    state = SealedTextField()  # two letters; empty where the record does not say

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "patient"], name="affected_once_per_incident")]
