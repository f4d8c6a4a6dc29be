"""The register of where somebody is signed in: a row per browser session and per app that was let in."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from telehealth.accounts.models.people import AccountSealed, User
from telehealth.vault.fields import ACCOUNTS, SealedTextField


class Session(AccountSealed):
    """A browser's session, or an app's tokens from one consent on. Its id is what entries, tickets and sockets name it by;
    it lets nobody in: a browser shows a cookie, an app a token. Once ended it stays so."""

    class Kind(models.TextChoices):
        BROWSER = "browser", _("Browser")
        APP = "app", _("App")

    account = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    application = models.ForeignKey("accounts.Application", models.CASCADE, null=True, related_name="+")
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(default=timezone.now)  # in steps of half a minute
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=32, blank=True)
    device = SealedTextField(key=ACCOUNTS, default="")  # coarse words, such as "Firefox, Windows"
    network = SealedTextField(key=ACCOUNTS, default="")  # the network's prefix, never the whole address

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="session_of_an_app_names_it",
                condition=Q(kind="app", application__isnull=False) | Q(kind="browser", application=None),
            ),
            models.CheckConstraint(
                name="session_ended_says_why",
                condition=Q(ended_at=None, reason="") | (Q(ended_at__isnull=False) & ~Q(reason="")),
            ),
        ]
        indexes = [models.Index(fields=["account"], condition=Q(ended_at=None), name="session_open")]
