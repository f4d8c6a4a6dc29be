"""How passwords are hashed, and which are refused."""

import re

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

DISTINCT = 5  # characters


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 64 MiB, three passes, one lane (RFC 9106; OWASP ASVS 5 asks for less). Weaker hashes are renewed
    at the next sign-in."""

    time_cost = 3
    memory_cost = 64 * 1024
    parallelism = 1


class Uncommon(CommonPasswordValidator):
    """Refuses Django's 20,000 common passwords, also doubled or with digits and signs around them, and monotony."""

    def validate(self, password: str, user: object = None) -> None:
        """ValidationError with the code `password_too_common`."""
        letters = re.sub(r"[\W\d_]+", "", password.casefold())
        half = letters[: len(letters) // 2]
        doubled = bool(half) and letters == half * 2
        forms = {password.casefold().strip(), letters, half if doubled else letters}
        if forms & self.passwords or len(set(password)) < DISTINCT:
            raise ValidationError(self.get_error_message(), code="password_too_common")

    def get_help_text(self) -> str:
        return _("Not a common password, nor one with digits around it; a few words that do not belong together are good.")
