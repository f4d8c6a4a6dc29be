"""Passkeys (W3C WebAuthn level 3) by django-otp-webauthn, with one rule on top: whoever holds one is verified, always.

A ceremony has two halves. The first gives the browser its options and the session a state (challenge, purpose); the
second takes what the authenticator answered. The state names what the answer is for and is good once, for five minutes.
"""

from typing import Any
from uuid import UUID

from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from webauthn import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialUserEntity, UserVerificationRequirement

from telehealth.accounts.models import Passkey, User

State = dict[str, Any]
Options = dict[str, Any]
UNANSWERED = (WebAuthnException, OTPWebAuthnApiError, ValueError, KeyError, TypeError, AttributeError)
"""What a wrong or mangled answer raises in the libraries below us."""


class Helper(WebAuthnHelper):  # type: ignore[misc]  # untyped
    """The library's ceremonies: user verification is required in both, whatever the state claims."""

    def __init__(self, name: str = "") -> None:
        super().__init__(request=None)
        self.name = name

    def get_user_entity(self, user: User) -> PublicKeyCredentialUserEntity:
        """The handle is the account's id; what authenticators show is the person's own address."""
        label = user.email
        return PublicKeyCredentialUserEntity(id=user.pk.bytes, name=label, display_name=label)

    def get_generate_registration_options_kwargs(self, *, user: User) -> dict[str, Any]:
        asked: dict[str, Any] = super().get_generate_registration_options_kwargs(user=user)
        asked["authenticator_selection"].user_verification = UserVerificationRequirement.REQUIRED
        return asked

    def register_complete(self, user: User, state: State, data: Options) -> Passkey:
        made: Passkey = super().register_complete(user, {**state, "require_user_verification": True}, data)
        return made

    def create_credential(self, *args: Any, **kwargs: Any) -> Passkey:
        made: Passkey = super().create_credential(*args, **kwargs)
        made.name = self.name
        return made

    def authenticate_complete(self, user: User | None, state: State, data: Options) -> Passkey:
        """The passkey that answered; the handle that came with it must be its person's."""
        shown: Passkey = super().authenticate_complete(user, {**state, "require_user_verification": True}, data)
        handle = data["response"].get("userHandle")
        if handle and UUID(bytes=base64url_to_bytes(handle)) != shown.user_id:
            raise ValueError("another person's handle")
        return shown


def options_to_register(user: User) -> tuple[Options, State]:
    """For `navigator.credentials.create`: a discoverable credential that verifies its user, none that is here already."""
    options, state = Helper().register_begin(user)
    return options, state


def options_to_show(user: User | None) -> tuple[Options, State]:
    """For `navigator.credentials.get`: one's own passkeys, or whichever the browser has when nobody is known yet."""
    options, state = Helper().authenticate_begin(user=user, require_user_verification=True)
    return options, state
