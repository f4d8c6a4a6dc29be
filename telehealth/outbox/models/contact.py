"""How a person wants to be told, and which numbers may be texted. No number is kept here, only its keyed index."""

from datetime import time

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.ledger import uuid7
from telehealth.core import now

QUIET_FROM, QUIET_TO = time(21), time(8)


class Purpose(models.TextChoices):
    """What a message is for, as far as a person can choose. What concerns their account is told in any case, by mail."""

    CARE = "care", _("Messages about your care")
    REMINDER = "reminder", _("Reminders of appointments")


class Way(models.TextChoices):
    ANY = "any", _("E-mail, and text messages if you agreed to them")
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("Text message; e-mail where that is not possible")
    NONE = "none", _("Not at all")


class Verdict(models.TextChoices):
    GIVEN = "given", _("Given")
    REVOKED = "revoked", _("Revoked")


class Source(models.TextChoices):
    """By which door a consent, or its end, came."""

    PORTAL = "portal", _("Portal")
    DESK = "desk", _("Front desk, for a caller")
    SMS = "sms", _("Text message")
    APP = "app", _("App")


class ContactPreference(models.Model):
    """One person's wishes. Who has no row gets what there is, in the clinic's zone, and no automated text from 21:00 to 08:00."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person_id = models.UUIDField(unique=True)  # the account
    care = models.CharField(max_length=5, choices=Way.choices, default=Way.ANY)
    reminder = models.CharField(max_length=5, choices=Way.choices, default=Way.ANY)
    language = models.CharField(max_length=20, blank=True, default="")  # BCP 47; "": the record's
    timezone = models.CharField(max_length=64, blank=True, default="")  # IANA; "": the clinic's
    quiet_from = models.TimeField(default=QUIET_FROM)
    quiet_to = models.TimeField(default=QUIET_TO)  # equal: never quiet
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="contact_preference_ways_are_known", condition=Q(care__in=Way.values, reminder__in=Way.values)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ContactConsent(models.Model):
    """That the holder of a number agreed to texts for a purpose, or no longer does. The newest row counts; none is ever
    changed: the runtime role may only add (`audit.ledger.grants`)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.BinaryField(max_length=32)  # keyed index (telehealth.outbox.numbers)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    source = models.CharField(max_length=8, choices=Source.choices)
    person_id = models.UUIDField(null=True)  # whose number it was held to be; unknown of what comes by text
    given_by = models.UUIDField(null=True)  # the account that wrote it down
    at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="contact_consent_says_what_is_known",
                condition=Q(purpose__in=Purpose.values, verdict__in=Verdict.values, source__in=Source.values),
            ),
        ]
        indexes = [models.Index(fields=["number", "purpose", "at"], name="contact_consent_by_number")]

    def __str__(self) -> str:
        return str(self.pk)


class SentText(models.Model):
    """That a number was about to be texted: what the limits count, once per message however often it is tried."""

    key = models.CharField(max_length=100, primary_key=True)  # the message's
    number = models.BinaryField(max_length=32)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    language = models.CharField(max_length=20, blank=True, default="")
    day = models.DateField()  # by the person's calendar
    at = models.DateTimeField(default=now)

    class Meta:
        indexes = [models.Index(fields=["number", "day"], name="sent_text_by_number")]

    def __str__(self) -> str:
        return self.key


class InboundText(models.Model):
    """That a text of this id has been taken: a repeat is answered with nothing. Neither number nor words are kept."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return str(self.at)
