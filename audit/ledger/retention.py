"""How long entries stay in the database, at least."""

from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

LEAST_YEARS: Final = 6  # 45 CFR 164.316(b)(2)(i), 164.528(a)


def years() -> int:
    """How long entries are kept in the database; ImproperlyConfigured for less than the law asks."""
    if settings.AUDIT_RETENTION_YEARS < LEAST_YEARS:
        raise ImproperlyConfigured(f"AUDIT_RETENTION_YEARS must be at least {LEAST_YEARS} (45 CFR 164.316, 164.528)")
    return int(settings.AUDIT_RETENTION_YEARS)
