"""Who yields in a glare: decided here, by role and id, never by who came first."""

from uuid import UUID

_ORDER = ("provider", "interpreter", "patient", "proxy")


def polite(role: str, member: UUID, other_role: str, other: UUID) -> bool:
    """Whether `member` yields to `other`; of two members exactly one does."""
    return (_rank(role), member) > (_rank(other_role), other)


def polite_alone(role: str) -> bool:
    """A member's part in a call of two: staff make the first offer."""
    return _rank(role) > 0


def _rank(role: str) -> int:
    return _ORDER.index(role) if role in _ORDER else len(_ORDER)
