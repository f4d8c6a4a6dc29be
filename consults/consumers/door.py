"""What both sockets share: who comes in, how many words they have, how it ends."""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http.request import validate_host
from redis.exceptions import RedisError

from audit.ledger import ANONYMOUS, Actor, current, refuse
from audit.ledger.units import current_or_none
from consults.protocol.codes import SUBPROTOCOL, Close, Error
from consults.protocol.incoming import MAX_FRAME, Incoming, UnknownType, Unreadable, parse
from consults.protocol.outgoing import Rights, trouble
from consults.protocol.rates import Allowance
from telehealth.accounts import live, sessions
from telehealth.core import now
from telehealth.core.consumer import Consumer
from telehealth.core.errors import DomainError
from telehealth.records import selectors
from telehealth.vault.cipher import Broken

LOOKED_BACK: Final = timedelta(minutes=1)
TICK_SECONDS: Final = 4.0  # what was not told in time is found out within five seconds
log = structlog.get_logger(__name__)


def header(scope: dict[str, Any], name: bytes) -> str:
    """A request header, "" when absent."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def own_origin(scope: dict[str, Any]) -> bool | None:
    """Whether the page that connects is one of ours; None when no page does (an app)."""
    origin = header(scope, b"origin")
    if not origin:
        return None
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    parts, host = urlsplit(origin), header(scope, b"host")
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    allowed = validate_host(host.rsplit(":", 1)[0] if ":" in host else host, settings.ALLOWED_HOSTS)
    return bool(allowed and parts.netloc == host and parts.scheme == scheme)


def signed_in(cookies: str) -> tuple[Actor, int]:
    """The actor of a live session with both factors, and the account's epoch; ANONYMOUS otherwise."""
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        morsel = None
    if morsel is None:
        return ANONYMOUS, 0
    kept = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    held = live.session_in(kept)
    if held is None or sessions.over(held.account, kept, now()):
        return ANONYMOUS, 0
    by = sessions.actor_of(held.account, kept)
    return (by, held.account.epoch) if by.second_factor_at is not None else (ANONYMOUS, 0)


class Door(Consumer):
    """Accepts, checks the Origin and the session, counts words, ticks; closes with the documented codes."""

    kind = "socket"
    about: object = ""
    max_message_bytes = MAX_FRAME
    epoch = 0
    unreadable = 0
    account_group = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.turn = asyncio.Lock()
        self.allowance = Allowance()
        self.ticking: asyncio.Task[None] | None = None
        self.over = False
        self.told_over: set[UUID] = set()
        self.spoke_at = time.monotonic()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """One thing at a time: the client's messages, the layer's nudges, the clock's ticks."""
        async with self.turn:
            try:
                await super().dispatch(message)
            except (DatabaseError, RedisError, OSError, Broken) as error:
                log.error("socket broken", error=type(error).__name__)
                await self.end(Close.NOT_RECORDED)

    async def _break(self) -> None:
        if not self.over:
            self.over = True
            await super()._break()

    async def close(self, code: Any = None, reason: Any = None) -> None:
        self.over = True
        await super().close(code=code, reason=reason)

    async def flush(self) -> None:
        unit = current_or_none()
        if unit is not None and (unit.openings or unit.refusals):
            await super().flush()

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        offered = self.scope.get("subprotocols") or []
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        if own_origin(self.scope) is False:
            await self.turn_away("foreign_origin", Close.NOT_PERMITTED)
            return
        if own_origin(self.scope):
            self.actor, self.epoch = await self.ask(signed_in, header(self.scope, b"cookie"))
            current().become(self.actor)
            await self.listen()
        await self.welcome()

    async def listen(self) -> None:
        """Hear at once when the account's sessions end (`live.tell`)."""
        if self.actor.id is not None and not self.account_group:
            self.account_group = live.group_of(self.actor.id)
            await self.channel_layer.group_add(self.account_group, self.channel_name)

    async def door_check(self, event: dict[str, Any]) -> None:
        """From the channel layer: something of this account has ended; perhaps what this socket was opened with."""
        if not self.over and not await self.ask(live.stands, self.actor, self.epoch):
            await self.turn_away("signed_out", Close.NOT_JOINED)

    async def still_signed_in(self) -> bool:
        """Whether the session that opened the door lasts: neither ended nor idle for too long."""
        by, _ = await self.ask(signed_in, header(self.scope, b"cookie"))
        return by.id is not None and by.id == self.actor.id

    async def welcome(self) -> None:
        """The door is open."""
        raise NotImplementedError

    async def turn_away(self, reason: str, code: Close) -> None:
        """Close, on record."""
        refuse(self.actor, reason, kind=self.kind, pk=self.about)
        await self.end(code)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.over:
            return
        self.spoke_at = time.monotonic()
        if text_data is None or len(text_data.encode("utf-8", "surrogatepass")) > MAX_FRAME:
            await self.end(Close.MALFORMED)
            return
        try:
            message = parse(text_data)
        except Unreadable:
            await self._strike(Error.MALFORMED)
        except UnknownType:
            if await self._affordable("unreadable"):
                await self.say_message(trouble(Error.UNKNOWN_TYPE))
        else:
            if await self._affordable(type(message).__name__.lower()):
                await self.heard(message)

    async def heard(self, message: Incoming) -> None:
        """One message of the protocol."""
        raise NotImplementedError

    async def _strike(self, error: Error) -> None:
        self.unreadable += 1
        if self.unreadable >= 5:
            await self.end(Close.MALFORMED)
        else:
            await self.say_message(trouble(error))

    async def _affordable(self, kind: str) -> bool:
        if self.allowance.spend(kind, time.monotonic()):
            return True
        if self.allowance.exhausted:
            await self.end(Close.RATE)
        else:
            await self.say_message(trouble(Error.RATE_LIMITED))
        return False

    async def say_message(self, message: Any) -> None:
        """Send; what it was read from is on record before it leaves."""
        await self.flush()
        if not self.over:
            await self.send(text_data=msgspec.json.encode(message).decode())

    async def tell_what_is_over(self) -> None:
        """Once for each consent to this person that was withdrawn or ended: nothing of it comes over a socket, but pages
        that are open show what they showed. A little is looked at twice, for what commits late bears an earlier time."""
        over = await self.ask(selectors.consents_over, self.actor, now() - LOOKED_BACK)
        if over - self.told_over:
            await self.say_message(Rights())
        self.told_over = over

    async def refused(self, error: DomainError) -> None:
        await self.end(Close.NOT_PERMITTED)

    async def end(self, code: Close) -> None:
        """Close once; whoever was turned away is on record first."""
        if self.over:
            return
        await self.flush()
        self.over = True
        await self.close(code=int(code))

    def start_ticking(self) -> None:
        self.ticking = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while not self.over:
            await asyncio.sleep(TICK_SECONDS)
            await self.dispatch({"type": "door.tick"})

    async def disconnect(self, code: int) -> None:
        self.over = True
        if self.ticking is not None:
            self.ticking.cancel()
            with suppress(asyncio.CancelledError):
                await self.ticking
        if self.account_group:
            await self.channel_layer.group_discard(self.account_group, self.channel_name)
        await self.gone()

    async def gone(self) -> None:
        """The socket is closed, whoever did it."""
