"""The states of a prescription on its way, as a table. What is not in it does not happen."""

from enum import StrEnum

from django.db import models


class Status(models.TextChoices):
    DRAFT = "draft"
    QUEUED = "queued"
    """Signed; waiting to leave."""
    SENT = "sent"
    """The network has it (Status 000); the pharmacy has not said so yet."""
    DELIVERED = "delivered"
    """The pharmacy has it (Status 010)."""
    ERROR = "error"
    """It was refused or could not be sent: a person must act."""
    CANCELLED = "cancelled"
    """A draft that was given up before signing."""


class Event(StrEnum):
    SIGN = "sign"
    DISCARD = "discard"
    TAKEN = "000"
    ACCEPTED = "010"
    FAILED = "failed"


_S, _E = Status, Event
NEXT: dict[tuple[Status, Event], Status] = {
    (_S.DRAFT, _E.SIGN): _S.QUEUED,
    (_S.DRAFT, _E.DISCARD): _S.CANCELLED,
    (_S.QUEUED, _E.TAKEN): _S.SENT,
    (_S.QUEUED, _E.ACCEPTED): _S.DELIVERED,
    (_S.QUEUED, _E.FAILED): _S.ERROR,
    (_S.SENT, _E.TAKEN): _S.SENT,
    (_S.SENT, _E.ACCEPTED): _S.DELIVERED,
    (_S.SENT, _E.FAILED): _S.ERROR,
    # The pharmacy's word stands over a late or repeated one of the network's.
    (_S.DELIVERED, _E.TAKEN): _S.DELIVERED,
    (_S.DELIVERED, _E.ACCEPTED): _S.DELIVERED,
    (_S.DELIVERED, _E.FAILED): _S.ERROR,
    # An answer that was lost on the way and came after we had given up, or after a person sent it again.
    (_S.ERROR, _E.TAKEN): _S.SENT,
    (_S.ERROR, _E.ACCEPTED): _S.DELIVERED,
    (_S.ERROR, _E.FAILED): _S.ERROR,
}


def after(status: Status | str, event: Event) -> Status | None:
    """The state that follows, or None: it cannot happen now."""
    return NEXT.get((Status(status), event))
