"""UUIDv7 (RFC 9562, section 5.7): ids that sort by the time they were made."""

import secrets
import time
from datetime import datetime
from uuid import UUID

_MILLISECOND = 1_000_000  # nanoseconds


def uuid7() -> UUID:
    """A new id: 48 bits of Unix milliseconds, 12 bits of the millisecond's fraction, 62 random bits."""
    milliseconds, rest = divmod(time.time_ns(), _MILLISECOND)
    return _compose(milliseconds, rest * 4096 // _MILLISECOND, secrets.randbits(62))


def first_id_at(moment: datetime) -> UUID:
    """The smallest UUIDv7 of that instant: the bound that turns a time range into an id range. Before 1970 it is the first of all."""
    return _compose(_milliseconds(moment), 0, 0)


def first_id_after(moment: datetime) -> UUID:
    """The smallest UUIDv7 that is later than this instant's millisecond."""
    return _compose(_milliseconds(moment) + 1, 0, 0)


def _milliseconds(moment: datetime) -> int:
    return max(int(moment.timestamp() * 1000), 0)


def _compose(milliseconds: int, fraction: int, low: int) -> UUID:
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | low)
