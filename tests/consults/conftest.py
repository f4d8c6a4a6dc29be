import pytest
import redis

from tests.cast import Cast
from tests.consults.stage import Stage, appoint


@pytest.fixture
def stage(cast: Cast, valkey: redis.Redis) -> Stage:
    return Stage(cast, appoint(cast.pia_record, cast.cho))
