"""What leaves towards other calendars, and what is read from them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.ledger import uuid7
from telehealth.accounts.models.people import AccountSealed
from telehealth.records.models import Practitioner
from telehealth.vault.fields import ACCOUNTS, SealedTextField


class CalendarFeed(models.Model):
    """A secret address under which a provider's appointment times can be read. Of the secret its SHA-256 is kept, no more."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="calendar_feeds")
    digest = models.BinaryField(max_length=32, unique=True)
    created_by = models.UUIDField(null=True)  # the account
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["practitioner"], condition=Q(revoked_at=None), name="calendar_feed_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class BusyState(models.TextChoices):
    """How the last look at a calendar ended. Whatever it was, the busy times of the last good one stay."""

    NEW = "new", _("Not read yet")
    READ = "read", _("Read")
    UNREACHABLE = "unreachable", _("Cannot be reached")
    REFUSED = "refused", _("Its address leads where we do not go")
    TOO_BIG = "too_big", _("Too big, or it repeats too often")
    BROKEN = "broken", _("Not a calendar that we can read")


class BusyCalendar(AccountSealed):
    """A calendar elsewhere whose busy times close a provider's hours. The address is a secret; of what it says, times alone are kept."""

    practitioner = models.ForeignKey(Practitioner, models.PROTECT, related_name="busy_calendars")
    url = SealedTextField(key=ACCOUNTS)
    state = models.CharField(max_length=12, choices=BusyState.choices, default=BusyState.NEW)
    etag = models.CharField(max_length=200, blank=True, default="")
    checked_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)  # the last good look
    spans = models.PositiveIntegerField(default=0)
    created_by = models.UUIDField(null=True)  # the account
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="busy_calendar_state_is_known", condition=Q(state__in=BusyState.values)),
        ]
