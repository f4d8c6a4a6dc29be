"""A reason lasts from `starts_at` until `ends_at`, for ever when that is empty."""

from datetime import datetime

from django.db.models import Q


def lasting(at: datetime) -> Q:
    """Rows whose period holds this moment."""
    return Q(starts_at__lte=at) & (Q(ends_at=None) | Q(ends_at__gt=at))
