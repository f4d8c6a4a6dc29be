"""The staff's queue: who hears of it, and that it tells ids, states and times alone."""

from datetime import timedelta
from importlib import import_module
from uuid import uuid4

import pytest
from django.conf import settings

from consults.consumers import door
from consults.mailboxes import wire
from consults.protocol.codes import Close
from telehealth.accounts import sessions
from telehealth.core import now
from tests.consults.devices import Devices, do
from tests.consults.stage import Stage
from tests.people import ClientFor

pytestmark = pytest.mark.django_db(transaction=True)


async def test_the_queue_tells_ids_states_and_times(stage: Stage, client_for: ClientFor) -> None:
    room = Devices(stage, uuid4(), client_for)
    watchers = {who: await room.browser(who, path="/ws/waiting-room/") for who in ("dr_cho", "dr_dee", "nan", "desk")}
    for watcher in watchers.values():
        assert await watcher.silent()
    ready = await do(stage.ready)
    for who in ("dr_cho", "nan", "desk"):
        await watchers[who].hear("visit")
        news = await watchers[who].hear("visit")
        assert news == {"type": "visit", "id": str(ready.pk), "waiting": "ready", "status": "arrived", "at": news["at"]}
    assert await watchers["dr_dee"].silent(), "another provider's queue"
    await room.close()
    await wire.close()


@pytest.mark.parametrize("change", ["idle", "ended"])
async def test_the_queue_ends_with_the_session(stage: Stage, client_for: ClientFor, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TICK_SECONDS", 0.05)
    room = Devices(stage, uuid4(), client_for)
    watcher = await room.browser("dr_cho", path="/ws/waiting-room/")
    assert await watcher.silent()
    session = import_module(settings.SESSION_ENGINE).SessionStore(watcher.cookie)
    if change == "idle":
        session[sessions.SEEN] = (now() - sessions.IDLE_STAFF - timedelta(seconds=1)).isoformat()
        await do(session.save)
    else:
        await do(session.delete)
    assert await watcher.closed() == Close.NOT_JOINED
    await room.close()


@pytest.mark.parametrize(("who", "code"), [("pia", 4403), ("ned", 4403), ("biller", 4403), ("admin", 4403)])
async def test_the_queue_is_the_staffs(room: Devices, who: str, code: int) -> None:
    device = await room.browser(who, path="/ws/waiting-room/")
    assert await device.closed() == code
    assert len(await room.refusals()) == 1


async def test_the_queue_needs_a_session_and_its_origin(room: Devices) -> None:
    assert await (await room.device("/ws/waiting-room/")).closed() == Close.NOT_JOINED
    foreign = await room.browser("dr_cho", path="/ws/waiting-room/", origin=b"https://evil.example")
    assert await foreign.closed() == Close.NOT_PERMITTED
