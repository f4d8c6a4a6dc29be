"""Keys in Redis and groups of the channel layer: ids only. One visit's keys share a hash slot of a Redis cluster."""

from uuid import UUID

CAP = 256
STREAM_SECONDS = 120
SEAT_SECONDS = 30
RIGHTS_SECONDS = 5
DAY = 86_400


def rights(visit: UUID) -> str:
    """Hash: `version`, and a field per admitted participant. Read again from the database when it is gone or outdated."""
    return f"visit:{{{visit}}}:rights"


def version(visit: UUID) -> str:
    """The newest version of the visit that was committed."""
    return f"visit:{{{visit}}}:version"


def seat(visit: UUID, member: UUID) -> str:
    """Which connection is this participant's live device."""
    return f"visit:{{{visit}}}:seat:{member}"


def here(visit: UUID) -> str:
    """Sorted set: participant by the second of the last beat; whoever left is not in it."""
    return f"visit:{{{visit}}}:here"


def heard(visit: UUID) -> str:
    """Hash: participant to the second of the last beat, kept after they went."""
    return f"visit:{{{visit}}}:heard"


def numbers(visit: UUID) -> str:
    """Hash: the last number of each mailbox, and where its present device began (`<participant>:from`)."""
    return f"visit:{{{visit}}}:numbers"


def box(visit: UUID, member: UUID) -> str:
    """Stream of sealed messages; an entry's id is `<number>-0`."""
    return f"visit:{{{visit}}}:box:{member}"


def ticket(digest: str) -> str:
    return f"visit-ticket:{digest}"


def group(visit: UUID) -> str:
    """Channel group of a visit's sockets."""
    return f"visit.{visit}"


QUEUE = "waiting-room"
