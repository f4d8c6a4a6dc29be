"""The asynchronous side, for sockets: sit, relay, read, beat. One connection pool per event loop."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings
from redis.asyncio import BlockingConnectionPool, Redis

from consults.mailboxes import names, scripts
from consults.mailboxes.sealing import Seal

Args: TypeAlias = list[str | bytes | int]


class Replaced(Exception):
    """Another device of the same person sits in this seat now."""


class Stale(Exception):
    """The rights in Redis are gone or older than the last commit: read them from the database and try again."""


class NotAdmitted(Exception):
    pass


class NoSuchMember(Exception):
    pass


_ANSWERS = {b"replaced": Replaced, b"stale": Stale, b"not_admitted": NotAdmitted, b"no_such_member": NoSuchMember}


class _Client:
    def __init__(self) -> None:
        # Sockets share a few connections and wait for their turn: a thousand of them must not open a thousand more.
        self.redis = Redis.from_pool(BlockingConnectionPool.from_url(settings.REDIS_URL, max_connections=16, timeout=5))
        self.relay = self.redis.register_script(scripts.RELAY)
        self.sit = self.redis.register_script(scripts.SIT)
        self.read = self.redis.register_script(scripts.READ)
        self.beat = self.redis.register_script(scripts.BEAT)
        self.rise = self.redis.register_script(scripts.RISE)


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _Client] = WeakKeyDictionary()


def _client() -> _Client:
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = _Client()
    return _clients[loop]


async def close() -> None:
    """Give back this loop's connections."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.redis.aclose()


@dataclass
class Seat:
    """A live device of one participant. `after` is the last number that went out to it."""

    visit: UUID
    member: UUID
    connection: str
    seal: Seal
    after: int = 0

    async def sit(self, resume: int | None) -> bool:
        """Take the seat, replacing an earlier device; whether everything after `resume` is still there."""
        v, m = self.visit, self.member
        keys = [names.seat(v, m), names.numbers(v), names.box(v, m), names.here(v), names.heard(v)]
        wanted = -1 if resume is None else resume
        args: Args = [str(m), self.connection, wanted, names.SEAT_SECONDS, names.DAY]
        self.after, resumed = await _client().sit(keys=keys, args=args)
        return bool(resumed)

    async def relay(self, to: UUID, body: bytes) -> None:
        """Put it into the other's mailbox if both are admitted at this moment and this is still the live device."""
        v = self.visit
        keys = [names.rights(v), names.version(v), names.seat(v, self.member), names.box(v, to), names.numbers(v)]
        sealed = self.seal.close(body, to)
        args: Args = [str(self.member), str(to), self.connection, sealed, names.CAP, names.STREAM_SECONDS, names.DAY]
        self._check(await _client().relay(keys=keys, args=args))

    async def read(self) -> list[tuple[int, bytes]]:
        """What arrived since, opened, with numbers; raises Replaced."""
        keys = [names.seat(self.visit, self.member), names.box(self.visit, self.member)]
        found = self._check(await _client().read(keys=keys, args=[self.connection, self.after]))
        messages = [(int(number.split(b"-")[0]), self.seal.open(fields[1], self.member)) for number, fields in found]
        if messages:
            self.after = messages[-1][0]
        return messages

    async def beat(self) -> None:
        """Still here; raises Replaced."""
        v, m = self.visit, self.member
        keys = [names.seat(v, m), names.here(v), names.heard(v)]
        if not await _client().beat(keys=keys, args=[str(m), self.connection, names.SEAT_SECONDS, names.DAY]):
            raise Replaced

    async def rise(self) -> bool:
        """Leave the seat; False when another device has it already."""
        keys = [names.seat(self.visit, self.member), names.here(self.visit)]
        return bool(await _client().rise(keys=keys, args=[str(self.member), self.connection]))

    def _check(self, answer: Any) -> Any:
        if isinstance(answer, bytes):
            raise _ANSWERS[answer]
        return answer
