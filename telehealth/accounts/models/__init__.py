"""The tables of people and of their apps."""

from telehealth.accounts.models.apps import AccessToken, Application, Grant, IDToken, RefreshToken
from telehealth.accounts.models.people import Invitation, TOTPDevice, User
from telehealth.accounts.models.sessions import Session

__all__ = ["AccessToken", "Application", "Grant", "IDToken", "Invitation", "RefreshToken", "Session", "TOTPDevice", "User"]
