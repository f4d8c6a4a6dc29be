"""The tables of people and of their apps."""

from telehealth.accounts.models.apps import AccessToken, Application, Grant, IDToken, RefreshToken
from telehealth.accounts.models.people import Invitation, TOTPDevice, User

__all__ = ["AccessToken", "Application", "Grant", "IDToken", "Invitation", "RefreshToken", "TOTPDevice", "User"]
