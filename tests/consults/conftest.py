from collections.abc import AsyncIterator

import pytest
import redis

from consults import services
from consults.mailboxes import wire
from tests.cast import Cast
from tests.consults.devices import Devices, do
from tests.consults.stage import Stage, appoint
from tests.people import ClientFor


@pytest.fixture
def stage(cast: Cast, valkey: redis.Redis) -> Stage:
    return Stage(cast, appoint(cast.pia_record, cast.cho))


@pytest.fixture
async def room(stage: Stage, client_for: ClientFor) -> AsyncIterator[Devices]:
    """Pia's visit, ready and not admitted."""
    made = Devices(stage, (await do(stage.ready)).pk, client_for)
    yield made
    await made.close()
    await wire.close()


@pytest.fixture
async def call(room: Devices) -> Devices:
    """The same, admitted."""
    await do(services.admit, visit_id=room.visit, by=room.stage.cast.dr_cho)
    return room
