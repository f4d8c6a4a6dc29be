"""Devices on the real sockets: what a browser or an app sends, and what it sees."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings

from audit.ledger import SYSTEM, unit, uuid7
from audit.ledger.models import Entry
from config.sockets import sockets
from consults import services
from tests.cast import at_next_request
from tests.consults.stage import Stage
from tests.people import ClientFor

P = ParamSpec("P")
T = TypeVar("T")
ORIGIN = b"https://testserver"
SDP = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=fingerprint:sha-256 AB:CD\r\n"
PATIENCE = 5.0


async def do(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call something synchronous as another process would: in a thread, in a unit of its own."""

    def within() -> T:
        with unit(SYSTEM, channel="task"):
            return function(*args, **kwargs)

    answer: T = await database_sync_to_async(within)()
    return answer


class Device:
    """One socket of one person."""

    def __init__(self, path: str, **headers: bytes) -> None:
        told = [(name.encode(), value) for name, value in {"host": b"testserver", **headers}.items()]
        self.wire = WebsocketCommunicator(sockets, path, headers=told, subprotocols=["telehealth.v1"])
        self.wire.scope["scheme"] = "wss"
        self.seen = 0
        self.cookie = ""

    async def connect(self) -> "Device":
        connected, subprotocol = await self.wire.connect(PATIENCE)
        assert (connected, subprotocol) == (True, "telehealth.v1")
        return self

    async def say(self, **message: Any) -> None:
        await self.wire.send_input({"type": "websocket.receive", "text": json.dumps(message, default=str)})

    async def hear(self, *types: str) -> dict[str, Any]:
        """The next message, of one of these types; `state` is passed over unless asked for."""
        while True:
            output = await self.wire.receive_output(PATIENCE)
            assert output["type"] == "websocket.send", f"closed with {output.get('code')} instead of {types}"
            message = self.read(output)
            if message["type"] == "state" and "state" not in types:
                continue
            assert message["type"] in types, message
            return message

    def read(self, output: dict[str, Any]) -> dict[str, Any]:
        """A frame of the server's; its number is remembered for resuming."""
        message: dict[str, Any] = json.loads(output["text"])
        self.seen = message.get("seq", self.seen)
        return message

    async def closed(self) -> int:
        """The close code; messages before it are passed over."""
        while True:
            output = await self.wire.receive_output(PATIENCE)
            if output["type"] == "websocket.close":
                return int(output["code"])

    async def silent(self) -> bool:
        """Whether nothing but `state` came: an answered ping proves that everything before it was handled."""
        await self.say(type="ping")
        return (await self.hear("pong", "description", "candidate", "media", "peer-joined"))["type"] == "pong"

    async def drop(self) -> None:
        """The network is gone."""
        await self.wire.disconnect(timeout=PATIENCE)


class Devices:
    """Makes devices for the people of a stage, and lets go of them all."""

    def __init__(self, stage: Stage, visit: UUID, client_for: ClientFor) -> None:
        self.stage, self.visit, self.client_for = stage, visit, client_for
        self.made: list[Device] = []
        self.since = uuid7()

    async def browser(self, who: str, *, path: str = "", origin: bytes = ORIGIN, factor: bool = True) -> Device:
        by = getattr(self.stage.cast, who)
        client = await do(self.client_for, by) if factor else await do(self.client_for, by, factor_at=None)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].OutputString(attrs=[]).encode()
        device = await self.device(path, origin=origin, cookie=cookie)
        device.cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        return device

    async def device(self, path: str = "", **headers: bytes) -> Device:
        device = await Device(path or f"/ws/visits/{self.visit}/", **headers).connect()
        self.made.append(device)
        return device

    async def joined(self, who: str) -> tuple[Device, dict[str, Any]]:
        device = await self.browser(who)
        await device.say(type="join")
        return device, await device.hear("joined")

    async def ticket(self, who: str) -> str:
        by = await do(at_next_request, getattr(self.stage.cast, who))
        return (await do(services.issue_ticket, visit_id=self.visit, by=by)).value

    async def close(self) -> None:
        await asyncio.gather(*(device.drop() for device in self.made), return_exceptions=True)

    async def entries(self, act: str, *fields: str) -> list[tuple[Any, ...]]:
        """What was recorded of this act since these devices came, in order."""
        rows = Entry.objects.filter(act=act, id__gt=self.since).order_by("id").values_list(*fields)
        return await database_sync_to_async(list)(rows)

    async def refusals(self) -> list[str]:
        """Reasons of everything that was refused, in order."""
        return [reason for (reason,) in await self.entries("refused", "reason")]


async def in_call(call: Devices) -> tuple[Device, Device, str, str]:
    """Provider and patient connected: devices and members."""
    pia, _ = await call.joined("pia")
    cho, joined = await call.joined("dr_cho")
    await pia.hear("peer-joined")
    return cho, pia, joined["you"]["member"], joined["members"][0]["member"]
