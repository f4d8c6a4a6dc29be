"""The kinds of no. Apps subclass them, one class per fact; each face turns a kind into its own code, once."""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """Our own rules say no. Faces turn it into a reply; nothing else catches it."""

    code: ClassVar[str] = "error"

    def __init__(self, *, reply: Mapping[str, Any] | None = None, **facts: Any) -> None:
        super().__init__(self.code)
        self.reply = dict(reply or {})  # what the caller may know besides the code: never PHI
        self.facts = facts  # ids and kinds for the ledger, never for the reply


class Invalid(DomainError):
    """What was given cannot be meant."""

    code = "invalid"


class Missing(DomainError):
    """There is no such thing, or none that the caller may know of."""

    code = "not_found"


class Refused(Missing):
    """Outside, the same as Missing: a stranger must not learn that a record exists."""


class Conflict(DomainError):
    """It would contradict what already stands."""

    code = "conflict"


class Unproven(DomainError):
    """The caller may be who they say, but has not shown enough for this: a second or a fresh factor is due."""

    code = "second_factor_required"


class Unavailable(DomainError):
    """Not now, and through no fault of the caller: the same request is good again after `retry_after` seconds."""

    code = "unavailable"
    retry_after: ClassVar[int] = 5
