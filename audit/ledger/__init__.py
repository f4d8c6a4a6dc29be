"""The ground floor: who acted on which record, when and why; written before anything leaves, sealed, verifiable."""

from audit.ledger.actor import ANONYMOUS, SYSTEM, Actor
from audit.ledger.acts import Act
from audit.ledger.errors import EntryNotWritten, NoContext
from audit.ledger.ids import uuid7
from audit.ledger.units import Unit, current, flush, record, record_each, refuse, together, unit

__all__ = [
    "ANONYMOUS",
    "SYSTEM",
    "Act",
    "Actor",
    "EntryNotWritten",
    "NoContext",
    "Unit",
    "current",
    "flush",
    "record",
    "record_each",
    "refuse",
    "together",
    "unit",
    "uuid7",
]
