"""Accounts, second factors, invitations. What is sealed here is sealed under the accounts key, not under a record's."""

from datetime import datetime, timedelta

from auditlog.registry import auditlog
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from audit.ledger import Actor
from telehealth.accounts.access import Role
from telehealth.vault.fields import ACCOUNTS, BlindIndexField, SealedTextField
from telehealth.vault.models import SealedModel

PATIENT_SIDE = (Role.PATIENT, Role.PROXY)
PATIENT_ROLES = [role.value for role in PATIENT_SIDE]
INVITATION_LIFE = timedelta(days=7)
ROLES = [
    (Role.PATIENT, _("Patient")),
    (Role.PROXY, _("Proxy")),
    (Role.PROVIDER, _("Provider")),
    (Role.NURSE, _("Nurse")),
    (Role.FRONT_DESK, _("Front desk")),
    (Role.BILLER, _("Biller")),
    (Role.PRIVACY_OFFICER, _("Privacy officer")),
    (Role.ADMINISTRATOR, _("Administrator")),
]
KNOWN_ROLES = [role.value for role in Role]


class AccountSealed(SealedModel):
    """Sealed under the accounts key: reading it opens no patient's record."""

    class Meta:
        abstract = True

    @property
    def record_id(self) -> None:  # type: ignore[override]  # of no record
        return None


class User(AccountSealed, AbstractBaseUser):  # type: ignore[django-manager-missing]  # of the toolkit's models
    """An account of one person in one role. `epoch` goes up whenever everything given out before must stop working."""

    email = SealedTextField(key=ACCOUNTS, verbose_name=_("e-mail address"))
    email_index = BlindIndexField("email", normalise="email", unique=True)
    email_index_next = BlindIndexField("email", normalise="email", unique=True, beside="email_index")
    role = models.CharField(_("role"), max_length=20, choices=[(role.value, label) for role, label in ROLES])
    name = models.CharField(_("name"), max_length=200, blank=True, help_text=_("Staff only: a patient's name is PHI."))
    is_active = models.BooleanField(_("active"), default=True)
    role_until = models.DateTimeField(null=True)  # of the grant that the role is by: see models.staff
    epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    no_export_until = models.DateTimeField(null=True, editable=False)  # after the desk let a patient in again
    guards_minors = models.BooleanField(default=False, db_default=False, editable=False)  # acts, or has acted, for one (docs/adr/0007)
    last_login = None  # signing in is an act in the ledger

    USERNAME_FIELD = "id"
    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.CheckConstraint(name="user_role_is_known", condition=Q(role__in=KNOWN_ROLES)),
            models.CheckConstraint(name="user_no_patient_name_in_the_clear", condition=Q(name="") | ~Q(role__in=PATIENT_ROLES)),
        ]

    def get_username(self) -> str:
        return str(self.pk)

    def get_short_name(self) -> str:
        """What the portal greets with: never a patient's name."""
        return self.name or str(self.pk)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session holds: it dies with a new password and with a new epoch."""
        value = f"{self.password}:{self.epoch}"
        return salted_hmac("telehealth.accounts.session", value, secret=secret, algorithm="sha256").hexdigest()

    @property
    def actor(self) -> Actor:
        """This account by itself, with no session and no factor shown: for entries about it, and for commands."""
        return Actor(id=self.pk, role=self.role, guards_minors=self.guards_minors)

    @property
    def is_here(self) -> bool:
        """Switched on, and in a role whose time is not over."""
        return self.is_active and (self.role_until is None or self.role_until > timezone.now())

    @property
    def is_patient_side(self) -> bool:
        return self.role in PATIENT_SIDE

    @property
    def is_staff(self) -> bool:
        """Whether Django's admin has anything for this role; which part, the access table decides."""
        return self.role in (Role.ADMINISTRATOR, Role.PRIVACY_OFFICER)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Never: permissions by string are not used here."""
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


def default_expiry() -> datetime:
    return timezone.now() + INVITATION_LIFE


class Invitation(AccountSealed):
    """An offer of an account, good once. The token is a MAC over id and generation: nothing here lets one in."""

    email = SealedTextField(key=ACCOUNTS)
    role = models.CharField(max_length=20, choices=[(role.value, label) for role, label in ROLES])
    name = models.CharField(max_length=200, blank=True)  # staff only
    patient = models.UUIDField(null=True)
    relationship = models.CharField(max_length=20, blank=True)
    account = models.UUIDField(null=True)  # the account it recovers, when the person has one
    invited_by = models.UUIDField(null=True)  # null: the operator, by a command
    generation = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(default=default_expiry)
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="invitation_role_is_known", condition=Q(role__in=KNOWN_ROLES)),
            models.CheckConstraint(
                name="invitation_names_the_patient_of_a_patient_account",
                condition=(
                    Q(role__in=PATIENT_ROLES, patient__isnull=False, relationship__in=["self", "guardian", "delegate"], name="")
                    | (~Q(role__in=PATIENT_ROLES) & Q(patient__isnull=True, relationship=""))
                ),
            ),
        ]


# Clear columns only; the ledger keeps the names of what changed, never the values.
auditlog.register(User, include_fields=["role", "is_active", "epoch", "guards_minors"])
