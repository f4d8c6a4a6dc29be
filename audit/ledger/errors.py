"""What the ledger refuses. No HTTP here: the faces own the codes."""

from django.db import DatabaseError


class NoContext(RuntimeError):
    """Health data was asked for where nobody is on record as asking."""


class EntryNotWritten(DatabaseError):
    """The entry could not be written, so nothing may leave. A DatabaseError, so that `atomic` rolls back."""
