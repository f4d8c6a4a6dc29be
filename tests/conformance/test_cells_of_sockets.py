"""Every socket's address x every person x {theirs, somebody else's, nobody's}, and from a page of somebody else's."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import pytest
from django.conf import settings

from config.sockets import sockets
from telehealth.accounts.access import Action, Resource
from tests.conformance.cells.building import build
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.oracle import PEOPLE, RECORDS, Who
from tests.conformance.cells.parts import takes_part
from tests.consults.devices import ORIGIN, Device, do

NOT_PERMITTED = 4403


@dataclass(frozen=True)
class Socket:
    """What stands in its path, its cell, what is asked beyond it, how one knocks and what says that one is in."""

    thing: str
    access: tuple[Action, Resource]
    rule: Callable[[Who, str], bool]
    knock: str
    inside: tuple[str, ...]


SOCKETS: Final = {
    "ws/visits/<uuid:visit_id>/": Socket("visit", (Action.ACT, Resource.VISIT), takes_part, "join", ("joined", "waiting")),
    "ws/waiting-room/": Socket("", (Action.SEARCH, Resource.WAITING_ROOM), lambda who, record: True, "ping", ("pong",)),
}


def test_each_socket_has_a_row() -> None:
    assert {str(route.pattern) for route in sockets.routes} == set(SOCKETS)


@pytest.fixture
async def open_clinic(transactional_db: None, valkey: Any) -> Clinic:
    """Committed, for sockets ask over connections of their own."""
    return await do(build)


async def test_who_comes_in_is_the_tables_verdict(open_clinic: Clinic) -> None:
    wrong = []
    for path, who in product(SOCKETS, PEOPLE):
        socket = SOCKETS[path]
        for record in (*RECORDS, "nowhere") if socket.thing else ("pia",):
            reason = record in RECORDS and (who.sees(record, *socket.access) if socket.thing else bool(who.scopes(*socket.access)))
            due = socket.inside if reason and socket.rule(who, record) else (NOT_PERMITTED,)
            if (told := await knock(open_clinic, who, path, record)) not in due:
                wrong.append((path, who.name, record, told))
    assert wrong == []


async def test_a_page_of_somebody_elses_is_turned_away_whoever_looks_at_it(open_clinic: Clinic) -> None:
    who = next(who for who in PEOPLE if who.name == "dr_cho")
    for path, socket in SOCKETS.items():
        for origin in (
            b"https://evil.example",
            b"https://testserver.evil.example",
            b"http://testserver",
            b"https://testserver:444",
            b"null",
        ):
            assert await knock(open_clinic, who, path, "pia", origin) == NOT_PERMITTED, origin
        assert await knock(open_clinic, who, path, "pia") in socket.inside


async def knock(clinic: Clinic, who: Who, path: str, record: str, origin: bytes = ORIGIN) -> str | int:
    """The type of what says one is in, or the code with which the door was closed."""
    before, gap, after = path.partition("<uuid:visit_id>")
    filled = f"/{before}{clinic.thing(record, SOCKETS[path].thing) if gap else ''}{after}"
    cookie = clinic.browser(who.name).cookies[settings.SESSION_COOKIE_NAME].OutputString(attrs=[]).encode()
    device = await Device(filled, origin=origin, cookie=cookie).connect()
    try:
        await device.say(type=SOCKETS[path].knock)
        while True:
            output = await device.wire.receive_output(5)
            if output["type"] == "websocket.close":
                return int(output["code"])
            if (told := device.read(output)["type"]) != "state":
                return str(told)
    finally:
        await device.drop()
