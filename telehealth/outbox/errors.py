"""What a handler says when it did not deliver."""

from datetime import datetime

from telehealth.core.errors import Conflict


class Undelivered(Exception):
    """A handler's verdict; the reason is a code that is kept in the row."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retry(Undelivered):
    """Not now. Tried again after `after_seconds`, else by the schedule; when that is used up, parked."""

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class Park(Undelivered):
    """Never as it stands: a person must look."""


class Skip(Undelivered):
    """Nobody to send to, and that is no fault."""


class NotYet(Undelivered):
    """Not at this hour, and that is no fault either: the try does not count, and nobody else's message waits for it."""

    def __init__(self, reason: str, until: datetime) -> None:
        super().__init__(reason)
        self.until = until


class NoNumber(Conflict):
    """There is no telephone number on file to agree to texts for."""

    code = "no_number"


class NotParked(Conflict):
    """Only what was given up can be sent again by hand."""

    code = "not_parked"
