"""Roles of the staff and their resets: asked for by one person, approved by another, kept for good."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from telehealth.accounts.models.people import KNOWN_ROLES, PATIENT_ROLES, ROLES, AccountSealed, Invitation, User
from telehealth.vault.fields import ACCOUNTS, SealedTextField

RECERTIFY = timedelta(days=90)


class GrantReason(models.TextChoices):
    """Why somebody has a role."""

    HIRED = "hired", _("new here")
    MOVED = "moved", _("moved to other work")
    STANDS_IN = "stands_in", _("stands in for somebody")
    RETURNED = "returned", _("came back")
    OPERATOR = "operator", _("set up by the operator")


class ResetReason(models.TextChoices):
    """Why somebody can no longer sign in."""

    LOST = "lost", _("the device was lost")
    BROKEN = "broken", _("the device does not work")
    FORGOTTEN = "forgotten", _("the password is forgotten")
    SUSPECTED = "suspected", _("somebody else may know it")


class ByTwo(AccountSealed):
    """What one person asks for and another approves. Nobody but the operator, by a command, decides alone."""

    why = SealedTextField(key=ACCOUNTS, null=True, verbose_name=_("in words"))
    requested_by = models.UUIDField(_("requested by"), null=True)  # null: the operator, by a command
    requested_at = models.DateTimeField(_("requested"), default=timezone.now)
    approved_by = models.UUIDField(_("approved by"), null=True)
    approved_at = models.DateTimeField(_("approved"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    class Meta:
        abstract = True

    @property
    def is_open(self) -> bool:
        """Whether it waits for an approval."""
        return self.approved_at is None and self.withdrawn_at is None


BY_TWO = Q(approved_at=None, approved_by=None) | (
    Q(approved_at__isnull=False) & (Q(requested_by=None) | (Q(approved_by__isnull=False) & ~Q(approved_by=F("requested_by"))))
)
WAITING = Q(approved_at=None, withdrawn_at=None)


class RoleGrant(ByTwo):
    """One role of one of the staff. Before the person has an account it hangs on their invitation."""

    account = models.ForeignKey(User, models.PROTECT, null=True, related_name="role_grants", verbose_name=_("account"))
    invitation = models.OneToOneField(Invitation, models.PROTECT, null=True, related_name="grant")
    role = models.CharField(_("role"), max_length=20, choices=[(role.value, label) for role, label in ROLES])
    code = models.CharField(_("reason"), max_length=12, choices=GrantReason.choices)
    starts_at = models.DateTimeField(_("since"), null=True)
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    ended_by = models.UUIDField(null=True)
    confirmed_at = models.DateTimeField(_("last confirmed"), null=True)
    confirmed_by = models.UUIDField(null=True)

    class Meta:
        verbose_name = _("role grant")
        constraints = [
            models.CheckConstraint(name="role_grant_by_two", condition=BY_TWO),
            models.CheckConstraint(name="role_grant_for_staff", condition=Q(role__in=KNOWN_ROLES) & ~Q(role__in=PATIENT_ROLES)),
            models.UniqueConstraint(name="role_asked_once_at_a_time", fields=["account"], condition=WAITING),
        ]
        indexes = [models.Index(fields=["account", "-approved_at"], name="role_grant_by_account")]

    @property
    def due_at(self) -> datetime | None:
        """When somebody must say again that the role is needed; never for what does not stand."""
        since = self.confirmed_at or self.starts_at
        return since + RECERTIFY if since and self.ended_at is None else None


class StaffReset(ByTwo):
    """Somebody of the staff gets a new password and new second factors; the old ones go when it is approved."""

    account = models.ForeignKey(User, models.PROTECT, related_name="resets", verbose_name=_("account"))
    code = models.CharField(_("reason"), max_length=12, choices=ResetReason.choices)

    class Meta:
        verbose_name = _("reset")
        constraints = [
            models.CheckConstraint(name="staff_reset_by_two", condition=BY_TWO),
            models.UniqueConstraint(name="reset_asked_once_at_a_time", fields=["account"], condition=WAITING),
        ]
