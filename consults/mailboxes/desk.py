"""The synchronous side, for services: rights follow commits, the server's own messages are posted, silence is noticed."""

from collections.abc import Iterable
from functools import cache
from typing import Any, cast
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from redis import Redis

from consults.mailboxes import names, scripts


@cache
def redis() -> Redis:
    """This process's connections to the broker."""
    return Redis.from_url(settings.REDIS_URL)


@cache
def _script(text: str) -> Any:
    return redis().register_script(text)


def grant(visit: UUID, version: int, admitted: Iterable[UUID]) -> bool:
    """Write the rights as read from the database; False when a newer version has been committed meanwhile."""
    keys = [names.rights(visit), names.version(visit)]
    args = [version, names.RIGHTS_SECONDS, names.DAY, *map(str, admitted)]
    return bool(_script(scripts.GRANT)(keys=keys, args=args))


def revoke(visit: UUID, version: int, outside: Iterable[UUID] = ()) -> None:
    """After a commit: rights older than this version are void; the mailboxes of those outside are emptied."""
    keys = [names.rights(visit), names.version(visit), *(names.box(visit, member) for member in outside)]
    _script(scripts.REVOKE)(keys=keys, args=[version, names.DAY])


def post(visit: UUID, member: UUID, sealed: bytes) -> int:
    """A message of the server itself; its number."""
    keys = [names.box(visit, member), names.numbers(visit)]
    args = [str(member), sealed, names.CAP, names.STREAM_SECONDS, names.DAY]
    return int(_script(scripts.POST)(keys=keys, args=args))


def silent(visit: UUID) -> list[UUID]:
    """Participants unheard of for too long, each told to one caller only."""
    found = _script(scripts.SILENT)(keys=[names.here(visit)], args=[names.SEAT_SECONDS])
    return [UUID(member.decode()) for member in found]


def present(visit: UUID) -> list[UUID]:
    """Participants with a beat, not yet found silent."""
    return [UUID(member.decode()) for member in cast(list[bytes], redis().zrange(names.here(visit), 0, -1))]


def last_heard(visit: UUID, members: Iterable[UUID]) -> int:
    """The second in which any of these was last heard of; 0 for never."""
    beats = cast(dict[bytes, bytes], redis().hgetall(names.heard(visit)))
    return max((int(beats.get(str(member).encode(), 0)) for member in members), default=0)


def dismiss(visit: UUID, member: UUID) -> None:
    """Close this participant's socket, wherever it is."""
    send(names.group(visit), {"type": "visit.dismiss", "member": str(member)})


def nudge(visit: UUID, event: str) -> None:
    """Tell the visit's sockets, on whatever process, to look. `event` is `visit.look` or `visit.changed`: ours, never a client's."""
    send(names.group(visit), {"type": event})


def send(group: str, message: dict[str, Any]) -> None:
    """Ids, states and times only."""
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(layer.group_send)(group, message)
