"""Two processes carry one call: a server of its own for the patient, this one for the provider."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
from django.db import connections
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.typing import Subprotocol

from consults import services
from consults.consumers import door
from consults.mailboxes import names, wire
from telehealth.vault import record_keys
from tests.consults.devices import SDP, Devices, do
from tests.consults.stage import Stage
from tests.people import ClientFor

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


@pytest.fixture(autouse=True)
def keys_of_this_database() -> None:
    """The other process has only the database: a key of the accounts remembered from an earlier test is not in it."""
    record_keys.cache.clear()


@pytest.fixture
async def server(tmp_path: Path, db: None) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path]]:
    """The same application on the same database and broker, in another process."""
    socket = tmp_path / "web.sock"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "config.asgi:application", "--uds", str(socket), "--log-level", "error"),
        env={**os.environ, "DATABASE_URL": its_database()},
        cwd=ROOT,
    )
    async with asyncio.timeout(PATIENCE):
        while not socket.exists() and process.returncode is None:
            await asyncio.sleep(0.05)
    yield process, socket
    if process.returncode is None:
        process.kill()
    await process.wait()


def its_database() -> str:
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path="/" + str(connections["default"].settings_dict["NAME"])))


async def hear(client: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            message: dict[str, Any] = json.loads(await client.recv())
            if message["type"] == kind:
                return message


async def test_a_call_over_two_processes_one_of_which_dies(
    stage: Stage, client_for: ClientFor, server: Any, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "TICK_SECONDS", 0.2)
    process, socket = server
    call = Devices(stage, (await do(stage.admitted)).pk, client_for)
    cho, told = await call.joined("dr_cho")
    a = told["you"]["member"]

    async with unix_connect(
        str(socket), f"ws://testserver/ws/visits/{call.visit}/", subprotocols=[Subprotocol("telehealth.v1")], proxy=None
    ) as pia:
        await pia.send(json.dumps({"type": "join", "ticket": await call.ticket("pia")}))
        b = (await hear(pia, "joined"))["you"]["member"]
        assert (await cho.hear("peer-joined"))["member"] == b
        await cho.say(type="description", to=b, description={"type": "offer", "sdp": SDP})
        seen = (await hear(pia, "description"))["seq"]
        await pia.send(json.dumps({"type": "description", "to": a, "description": {"type": "answer", "sdp": SDP}}))
        assert (await cho.hear("description"))["from"] == b
        process.send_signal(signal.SIGKILL)
        await process.wait()

    await cho.say(type="candidate", to=b, candidate={"candidate": "meanwhile"})
    assert await cho.silent(), "nobody is told to have left before the time is up"
    back = await call.device()
    await back.say(type="join", ticket=await call.ticket("pia"), resume=seen)
    assert (await back.hear("candidate"))["candidate"]["candidate"] == "meanwhile"
    assert (await back.hear("joined"))["resumed"] is True

    await back.drop()
    valkey.zadd(names.here(call.visit), {b: 1})
    assert (await cho.hear("peer-left"))["member"] == b, "a dead process leaves no ghost"
    await do(services.leave, visit_id=call.visit, by=stage.cast.dr_cho)
    assert await cho.closed() == 1000
    await call.close()
    await wire.close()
