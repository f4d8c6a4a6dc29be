"""What the ledger refuses. No HTTP here: the faces own the codes."""

from django.db import DatabaseError


class NoContext(RuntimeError):
    """Health data was asked for where nobody is on record as asking."""


class EntryNotWritten(DatabaseError):
    """The entry could not be written, so nothing may leave. A DatabaseError, so that `atomic` rolls back."""


class KeyUnavailable(RuntimeError):
    """A key of the ledger is kept elsewhere, and elsewhere does not answer. No entry can be made: nothing may leave."""


class Forked(RuntimeError):
    """The database does not lead on from what was published: it was rolled back or rewritten, or the files are another's.

    Sealing on would sign two histories, so nothing is sealed until somebody decides (`seal_audit --after-restore`).
    """

    def __init__(self, message: str, *, published: int, stored: int) -> None:
        super().__init__(message)
        self.published = published
        self.stored = stored
