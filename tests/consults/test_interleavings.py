"""Two visits of one provider, three people, random steps: nothing reaches anybody who is not admitted, nothing crosses."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from consults import services
from consults.consumers import door
from consults.mailboxes import wire
from consults.models import Visit
from consults.protocol import rates
from consults.states import MEANS
from scheduling.models import Appointment, Occupancy
from telehealth.core.errors import DomainError
from tests.cast import Cast
from tests.consults.devices import SDP, Device, Devices, do
from tests.consults.stage import Stage, appoint
from tests.people import ClientFor

pytestmark = pytest.mark.django_db(transaction=True)

SEATS = [("pia", 0), ("ned", 1), ("dr_cho", 0), ("dr_cho", 1)]
PAIRS = [(0, 2), (2, 0), (1, 3), (3, 1)] * 2 + [(0, 1), (0, 3), (2, 1), (3, 0)]
STEPS = st.one_of(
    st.tuples(st.sampled_from(["join", "resume", "drop", "leave"]), st.sampled_from(range(4)), st.just(0)),
    st.sampled_from(PAIRS).map(lambda pair: ("say", *pair)),
    st.sampled_from(PAIRS).map(lambda pair: ("say", *pair)),
    st.tuples(st.sampled_from(["admit", "admit", "hold", "remove", "give up"]), st.sampled_from(range(2)), st.just(0)),
)


@dataclass
class World:
    """What happened, and who was heard saying what to whom."""

    stages: list[Stage]
    rooms: list[Devices]
    devices: dict[int, Device] = field(default_factory=dict)
    seen: dict[int, int] = field(default_factory=dict)
    allowed: dict[int, set[str]] = field(default_factory=dict)  # seat -> texts that it may ever receive
    texts: Any = field(default_factory=itertools.count)

    def visit(self, seat: int) -> UUID:
        return self.rooms[SEATS[seat][1]].visit

    async def inside(self) -> set[int]:
        """Seats whose person is admitted, by what the database holds."""
        return await do(lambda: {seat for seat in range(4) if self.is_inside(seat)})

    def is_inside(self, seat: int) -> bool:
        visit = Visit.objects.get(pk=self.visit(seat))
        admitted = visit.participants.get(pk=self.member(seat)).admitted and visit.waiting in ("admitted", "in-call", "left")
        return visit.status not in ("finished", "cancelled") and (SEATS[seat][0] == "dr_cho" or admitted)

    def member(self, seat: int) -> UUID:
        who, stage = SEATS[seat]
        account = getattr(self.stages[stage].cast, who).id
        return self.stages[stage].visit.participants.get(account_id=account).pk

    async def act(self, step: tuple[str, int, int]) -> None:
        kind, one, other = step
        if kind in ("join", "resume"):
            await self.join(one, kind == "resume")
        elif kind == "say":
            await self.say(one, other)
        elif kind == "drop" and one in self.devices:
            await self.devices.pop(one).drop()
        elif kind == "leave" and one in self.devices:
            await self.devices[one].say(type="leave")
        elif kind in ("admit", "hold", "remove", "give up"):
            await self.conduct(kind, one)
        await self.listen()

    async def join(self, seat: int, resume: bool) -> None:
        who, stage = SEATS[seat]
        if seat in self.devices:
            await self.devices.pop(seat).drop()
        device = self.devices[seat] = await self.rooms[stage].browser(who)
        await device.say(type="join", **({"resume": self.seen.get(seat, 0)} if resume else {}))

    async def say(self, sender: int, to: int) -> None:
        if sender not in self.devices:
            return
        text, inside = f"text-{next(self.texts)}", await self.inside()
        member = await do(lambda: self.member(to))
        if {sender, to} <= inside and sender != to and self.visit(sender) == self.visit(to):
            self.allowed.setdefault(to, set()).add(text)
        await self.devices[sender].say(type="description", to=member, description={"type": "offer", "sdp": SDP + text})

    async def conduct(self, kind: str, stage: int) -> None:
        cast, visit = self.stages[stage].cast, self.rooms[stage].visit
        step: Any = {"admit": services.admit, "hold": services.hold, "remove": services.remove, "give up": services.leave}[kind]
        by = (cast.pia, cast.ned)[stage] if kind == "give up" else cast.dr_cho
        try:
            await do(lambda: step(visit_id=visit, by=by))
        except DomainError:
            return

    async def listen(self) -> None:
        """Everything said so far has been handled when each device has had its ping answered, or is closed."""
        for seat in list(self.devices):
            await self.devices[seat].say(type="ping")
        for seat, device in list(self.devices.items()):
            while True:
                output = await device.wire.receive_output(5)
                if output["type"] == "websocket.close":
                    del self.devices[seat]
                    break
                message = device.read(output)
                self.seen[seat] = device.seen
                if message["type"] == "description":
                    self.heard(seat, message)
                if message["type"] == "pong":
                    break

    def heard(self, seat: int, message: dict[str, Any]) -> None:
        text = message["description"]["sdp"].removeprefix(SDP)
        assert text in self.allowed.get(seat, set()), f"{SEATS[seat]} heard {text}"


async def is_legal(world: World) -> None:
    for room in world.rooms:
        state = (await do(lambda room=room: Visit.objects.select_related("appointment").get(pk=room.visit))).state
        encounters, appointments = MEANS[state.waiting]
        assert state.encounter in encounters and state.appointment in appointments, state


@pytest.fixture
async def quick_ticks(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(door, "TICK_SECONDS", 0.2)
    monkeypatch.setattr(rates, "RATES", {**rates.RATES, "ping": (10_000, 1.0)})
    yield
    await wire.close()


@given(steps=st.lists(STEPS, min_size=8, max_size=12))
@settings(max_examples=4, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
async def test_any_order_of_events(steps: list[Any], cast: Cast, valkey: Any, client_for: ClientFor, quick_ticks: None) -> None:
    stages = await do(lambda: two_visits(cast))
    people = (cast.pia, cast.ned)
    visits = [await do(stage.ready, by) for stage, by in zip(stages, people, strict=True)]
    world = World(stages, [Devices(stage, visit.pk, client_for) for stage, visit in zip(stages, visits, strict=True)])
    try:
        for step in [*(("join", seat, 0) for seat in range(4)), *steps, *[("listen", 0, 0)] * 3]:
            await world.act(step)
            await is_legal(world)
    finally:
        for room in world.rooms:
            await room.close()


def two_visits(cast: Cast) -> list[Stage]:
    """In one transaction with the end of earlier examples' appointments, whose time is given back."""
    with transaction.atomic():
        Occupancy.objects.update(live=False)
        Appointment.objects.update(status="cancelled", cancelled_reason="other")
        return [
            Stage(cast, appoint(cast.pia_record, cast.cho)),
            Stage(cast, appoint(cast.ned_record, cast.cho, timedelta(hours=1))),
        ]
