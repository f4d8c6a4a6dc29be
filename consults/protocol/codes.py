"""Close codes and error codes of `telehealth.v1`. docs/signalling.md lists what each one asks of a client."""

from enum import IntEnum, StrEnum

SUBPROTOCOL = "telehealth.v1"


class Close(IntEnum):
    NORMAL = 1000
    NOT_RECORDED = 1011
    TRY_LATER = 1013
    MALFORMED = 4400
    NOT_JOINED = 4401
    NOT_PERMITTED = 4403
    IDLE = 4408
    REPLACED = 4409
    ENDED = 4410
    RATE = 4429


class Error(StrEnum):
    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    ALREADY_JOINED = "already_joined"
    NOT_ADMITTED = "not_admitted"
    NO_SUCH_MEMBER = "no_such_member"
    RATE_LIMITED = "rate_limited"


RETRYABLE = frozenset({Error.NOT_ADMITTED, Error.RATE_LIMITED})
