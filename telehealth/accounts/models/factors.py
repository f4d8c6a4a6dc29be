"""Second factors, several per person, and the addresses that changes of them are told to."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_otp_webauthn.models import AbstractWebAuthnAttestation, AbstractWebAuthnCredential

from telehealth.accounts.models.people import AccountSealed, User
from telehealth.vault.fields import ACCOUNTS, SealedTextField

NAME_LENGTH = 60
RECOVERY_CODES = 10
EMAIL_CHANGE_LIFE = timedelta(hours=24)


class Passkey(AccountSealed, AbstractWebAuthnCredential):  # type: ignore[misc]  # untyped, with a manager of its own
    """A WebAuthn credential, always user-verified: alone it is two factors. What its person calls it is sealed."""

    user = models.ForeignKey(User, models.CASCADE, related_name="passkeys")
    name = SealedTextField(key=ACCOUNTS)

    class Meta:
        verbose_name = "passkey"  # and none of the library's indexes: the hashed id is unique already


class Attestation(AbstractWebAuthnAttestation):  # type: ignore[misc]  # untyped
    """What the authenticator said when a passkey was made; none is asked for, so that it says little."""

    credential = models.OneToOneField(Passkey, models.CASCADE, related_name="attestation", editable=False)

    def __str__(self) -> str:
        return str(self.pk)


class TOTPDevice(AccountSealed):
    """An authenticator app (RFC 6238: SHA-1, 30 s, six digits). `last_step` is the last time step used up.

    Until it is confirmed it belongs to the session that began it (`session`, hashed).
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="totp_devices")
    seed = SealedTextField(key=ACCOUNTS)  # base32, as the person types it
    name = SealedTextField(key=ACCOUNTS, null=True)
    session = models.CharField(max_length=64, blank=True, editable=False)
    last_step = models.BigIntegerField(default=-1)
    confirmed = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "session"], condition=Q(confirmed=False), name="totp_one_being_set_up_per_session"),
        ]


class RecoveryCode(models.Model):
    """One of ten codes for whoever lost their factors: kept as Argon2id, good once. The first digit of a code is its `slot`."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    slot = models.PositiveSmallIntegerField()
    hashed = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "slot"], name="recovery_code_one_per_slot"),
            models.CheckConstraint(name="recovery_code_is_one_of_ten", condition=Q(slot__gte=0, slot__lt=RECOVERY_CODES)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Mailbox(AccountSealed):
    """An account's address as it stood at one moment: a notice to it arrives there, whatever the address is by then."""

    user = models.ForeignKey(User, models.CASCADE, related_name="mailboxes")
    email = SealedTextField(key=ACCOUNTS)
    created_at = models.DateTimeField(default=timezone.now, editable=False)


def change_expiry() -> datetime:
    return timezone.now() + EMAIL_CHANGE_LIFE


class EmailChange(AccountSealed):
    """An address that waits to be confirmed by who reads it. The token is a MAC over the id: nothing here confirms."""

    user = models.ForeignKey(User, models.CASCADE, related_name="email_changes")
    email = SealedTextField(key=ACCOUNTS)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(default=change_expiry)
    confirmed_at = models.DateTimeField(null=True, editable=False)
