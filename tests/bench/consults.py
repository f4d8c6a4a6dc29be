"""What the visit's rules cost a relayed message: against a bare relay through the same channel layer."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.testing import WebsocketCommunicator

from audit.ledger import SYSTEM, unit
from consults import services
from consults.mailboxes import wire
from consults.protocol import rates
from telehealth.accounts.access import Role
from tests.bench.measure import Figure, figure
from tests.cast import make_actor, make_patient, make_practitioner
from tests.consults.devices import SDP, Device
from tests.consults.stage import Stage, appoint

ROUNDS, PER_ROUND = 10, 100


class Bare(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels is untyped
    """Everything that one says, all hear."""

    groups = ["bench"]

    async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
        await self.channel_layer.group_send("bench", {"type": "relayed", "text": text_data})

    async def relayed(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


def figures() -> Iterator[Figure]:
    with unit(SYSTEM, channel="command"):
        pia, cho = make_actor("pia", Role.PATIENT), make_actor("dr_cho", Role.PROVIDER)
        cast: Any = SimpleNamespace(pia=pia, dr_cho=cho)
        stage = Stage(cast, appoint(make_patient("Quill", "Pia", pia.id), make_practitioner("Cho", "Ana", cho.id)))
        visit = stage.admitted()
        tickets = [services.issue_ticket(visit_id=visit.pk, by=by).value for by in (cho, pia)]
    rates.RATES = {kind: (10**9, 1.0) for kind in rates.RATES}  # type: ignore[misc]  # the limits are not what is measured
    ours, bare = asyncio.run(_relaying(f"/ws/visits/{visit.pk}/", tickets))
    yield figure("consults.relay_p50", _percentile(ours, 50) * 1000, "ms")
    yield figure("consults.relay_p99", _percentile(ours, 99) * 1000, "ms")
    yield figure("consults.relay_p99_to_bare", _percentile(ours, 99) / _percentile(bare, 99), "times", 3.0)


async def _relaying(path: str, tickets: list[str]) -> tuple[list[float], list[float]]:
    cho, pia = [await Device(path).connect() for _ in tickets]
    members = []
    for device, ticket in zip((cho, pia), tickets, strict=True):
        await device.say(type="join", ticket=ticket)
        members.append((await device.hear("joined"))["you"]["member"])
    await cho.hear("peer-joined")
    one, other = WebsocketCommunicator(Bare.as_asgi(), "/"), WebsocketCommunicator(Bare.as_asgi(), "/")
    await one.connect(), await other.connect()
    offer = {"type": "description", "to": members[1], "description": {"type": "offer", "sdp": SDP * 40}}

    async def relay() -> None:
        await cho.say(**offer)
        await pia.hear("description")

    async def bare() -> None:
        await one.send_to(text_data=json.dumps(offer))
        await other.receive_from()
        await one.receive_from()

    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for times, call in zip(found, (relay, bare), strict=True):
            times += [await _timed(call) for _ in range(PER_ROUND)]
    for device in (cho, pia):
        await device.drop()
    await one.disconnect(), await other.disconnect()
    await wire.close()
    return found


async def _timed(call: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


def _percentile(times: list[float], share: int) -> float:
    return sorted(times)[len(times) * share // 100]
