"""The tables of people and of their apps."""

from telehealth.accounts.models.apps import AccessToken, Application, Grant, IDToken, RefreshToken
from telehealth.accounts.models.factors import Attestation, EmailChange, Mailbox, Passkey, RecoveryCode, TOTPDevice
from telehealth.accounts.models.people import Invitation, User
from telehealth.accounts.models.sessions import Session
from telehealth.accounts.models.staff import GrantReason, ResetReason, RoleGrant, StaffReset

__all__ = [
    "AccessToken",
    "Application",
    "Attestation",
    "EmailChange",
    "Grant",
    "GrantReason",
    "IDToken",
    "Invitation",
    "Mailbox",
    "Passkey",
    "RecoveryCode",
    "RefreshToken",
    "ResetReason",
    "RoleGrant",
    "Session",
    "StaffReset",
    "TOTPDevice",
    "User",
]
