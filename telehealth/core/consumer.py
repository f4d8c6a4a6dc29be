"""The base of every socket: a unit per message, openings written before each send, accept before close."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

import orjson
import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from audit.ledger import ANONYMOUS, Actor, EntryNotWritten, Unit, flush
from audit.ledger.units import resumed
from telehealth.core.errors import DomainError, Unavailable

P = ParamSpec("P")
T = TypeVar("T")
log = structlog.get_logger(__name__)

ENTRY_NOT_WRITTEN = 1011
TRY_AGAIN_LATER = 1013


class Consumer(AsyncWebsocketConsumer):
    """A wire. Subclasses set `actor` once they know who it is, and answer `refused` with a documented close code.

    A client's message arrives in `on_json` as a dict; its `type` never reaches the channel layer. Close only after
    accept: before it, a close code becomes an HTTP 403 and the code never arrives.
    """

    actor: Actor = ANONYMOUS
    max_message_bytes = 64 * 1024

    async def dispatch(self, message: dict[str, Any]) -> None:
        made = Unit(self.actor, channel="WS", purpose="TREAT", reason="", cid=self.cid)
        with resumed(made):
            try:
                await self._within(message)
            except EntryNotWritten:
                await self._break()
            finally:
                made.closed = True

    async def _within(self, message: dict[str, Any]) -> None:
        try:
            await super().dispatch(message)
        except Unavailable:
            await self.close(code=TRY_AGAIN_LATER)
        except DomainError as error:
            await self.refused(error)
        finally:
            await self.flush()

    async def _break(self) -> None:
        log.error("audit entry not written; socket closed")
        await super().close(code=ENTRY_NOT_WRITTEN)

    @property
    def cid(self) -> str:
        """One correlation id per socket."""
        if not hasattr(self, "_cid"):
            self._cid = uuid4().hex
        return self._cid

    async def ask(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a service or selector in a thread, inside this message's unit."""
        answer: T = await database_sync_to_async(function)(*args, **kwargs)
        return answer

    async def flush(self) -> None:
        """Write what this message has opened; EntryNotWritten closes the socket with 1011."""
        await database_sync_to_async(flush)()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        raw = (text_data or "").encode()
        if not raw or len(raw) > self.max_message_bytes:
            return await self.malformed("size")
        try:
            content = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return await self.malformed("json")
        if not isinstance(content, dict):
            return await self.malformed("shape")
        return await self.on_json(content)

    async def on_json(self, content: dict[str, Any]) -> None:
        """One well-formed message of the client."""
        raise NotImplementedError

    async def malformed(self, why: str) -> None:
        """Not a message at all (`size`, `json` or `shape`)."""
        await self.close(code=4400)

    async def refused(self, error: DomainError) -> None:
        """Our rules said no: the subclass maps `error.code` to its documented close code."""
        await self.close(code=4403)

    async def say(self, content: dict[str, Any]) -> None:
        """Send JSON; whatever the content was read from is on record before it leaves."""
        await self.flush()
        await self.send(text_data=orjson.dumps(content).decode())
