"""How passwords are hashed, and which are refused."""

import gzip
import re
from functools import cache

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils.translation import gettext as _

DISTINCT = 5  # characters


@cache
def _read(path: str) -> frozenset[str]:
    """A longer list of the operator's; ImproperlyConfigured when it cannot be read, for then it would refuse nothing."""
    try:
        with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8", errors="replace") as lines:
            return frozenset(line.strip().casefold() for line in lines if line.strip())
    except OSError as error:
        raise ImproperlyConfigured(f"COMMON_PASSWORDS_FILE: {type(error).__name__}") from None


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 64 MiB, three passes, one lane (RFC 9106; OWASP ASVS 5 asks for less). Weaker hashes are renewed
    at the next sign-in."""

    time_cost = 3
    memory_cost = 64 * 1024
    parallelism = 1


class Uncommon(CommonPasswordValidator):
    """Refuses Django's 20,000 common passwords and those of `COMMON_PASSWORDS_FILE` (UTF-8, one a line; gzip when it ends
    in .gz), also doubled or with digits and signs around them, and monotony."""

    def __init__(self, more: str = "") -> None:
        super().__init__()
        if more:
            self.passwords = self.passwords | _read(more)

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
