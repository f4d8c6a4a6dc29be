import asyncio
from collections.abc import AsyncIterator
from secrets import token_hex
from uuid import UUID, uuid4

import pytest
import redis

from consults.mailboxes import desk, names, sealing, wire
from telehealth.vault.cipher import Broken

SECRET = b"v=0 c=IN IP4 192.0.2.77"


class Call:
    """One visit with admitted members, as Redis sees it."""

    def __init__(self) -> None:
        self.visit, self.key = uuid4(), sealing.new_key()
        self.ann, self.bob, self.eve = uuid4(), uuid4(), uuid4()

    def seat(self, member: UUID) -> wire.Seat:
        return wire.Seat(self.visit, member, token_hex(8), sealing.Seal(self.key, self.visit))

    def grant(self, version: int, *members: UUID) -> bool:
        return desk.grant(self.visit, version, members)


@pytest.fixture
async def call(valkey: redis.Redis) -> AsyncIterator[Call]:
    yield Call()
    await wire.close()


async def pair(call: Call) -> tuple[wire.Seat, wire.Seat]:
    ann, bob = call.seat(call.ann), call.seat(call.bob)
    call.grant(1, call.ann, call.bob)
    await ann.sit(None)
    await bob.sit(None)
    return ann, bob


async def test_messages_arrive_in_order_and_once(call: Call) -> None:
    ann, bob = await pair(call)
    start = bob.after
    for body in (b"1", b"2", b"3"):
        await ann.relay(call.bob, body)
    assert await bob.read() == [(start + 1, b"1"), (start + 2, b"2"), (start + 3, b"3")]
    assert await bob.read() == []
    assert await ann.read() == []


async def test_nobody_outside_sends_or_receives(call: Call) -> None:
    ann, _ = await pair(call)
    eve = call.seat(call.eve)
    await eve.sit(None)
    with pytest.raises(wire.NotAdmitted):
        await eve.relay(call.ann, b"hello")
    for stranger in (call.eve, uuid4(), call.ann):
        with pytest.raises(wire.NoSuchMember):
            await ann.relay(stranger, b"hello")
    assert await eve.read() == [] and await ann.read() == []


async def test_a_committed_change_voids_older_rights_at_once_and_empties_the_box(call: Call) -> None:
    ann, bob = await pair(call)
    await ann.relay(call.bob, b"before")
    desk.revoke(call.visit, 2, [call.bob])
    with pytest.raises(wire.Stale):
        await ann.relay(call.bob, b"after")
    assert not call.grant(1, call.ann, call.bob), "rights read before the commit must not come back"
    assert call.grant(2, call.ann)
    with pytest.raises(wire.NoSuchMember):
        await ann.relay(call.bob, b"after")
    assert await bob.read() == []


async def test_rights_expire_by_themselves(call: Call, valkey: redis.Redis) -> None:
    ann, _ = await pair(call)
    assert 0 < valkey.ttl(names.rights(call.visit)) <= 5
    valkey.delete(names.rights(call.visit))
    with pytest.raises(wire.Stale):
        await ann.relay(call.bob, b"x")


async def test_a_later_device_replaces_the_earlier_in_every_way(call: Call) -> None:
    ann, bob = await pair(call)
    again = call.seat(call.bob)
    assert await again.sit(None) is False
    for attempt in (bob.read(), bob.beat(), bob.relay(call.ann, b"ghost")):
        with pytest.raises(wire.Replaced):
            await attempt
    assert await bob.rise() is False
    await ann.relay(call.bob, b"to the new one")
    assert [body for _, body in await again.read()] == [b"to the new one"]


async def test_resuming_gives_what_was_missed_and_nothing_twice(call: Call) -> None:
    ann, bob = await pair(call)
    await ann.relay(call.bob, b"seen")
    await bob.read()
    seen = bob.after
    await ann.relay(call.bob, b"missed")
    back = call.seat(call.bob)
    assert await back.sit(seen) is True
    assert [body for _, body in await back.read()] == [b"missed"]


@pytest.mark.parametrize("claimed", [-1, 10_000, 0])
async def test_a_number_that_was_never_this_devices_does_not_resume(call: Call, claimed: int) -> None:
    ann, bob = await pair(call)
    await ann.relay(call.bob, b"x")
    assert await call.seat(call.bob).sit(bob.after + claimed if claimed else 0) is False


async def test_resuming_fails_when_messages_are_gone_or_another_device_came(call: Call, valkey: redis.Redis) -> None:
    ann, bob = await pair(call)
    for _ in range(3):
        await ann.relay(call.bob, b"x")
    valkey.delete(names.box(call.visit, call.bob))
    assert await call.seat(call.bob).sit(bob.after) is False
    await bob_left_off(call, bob)


async def bob_left_off(call: Call, bob: wire.Seat) -> None:
    other = call.seat(call.bob)
    await other.sit(None)
    assert await call.seat(call.bob).sit(bob.after) is False
    assert await call.seat(call.bob).sit(other.after) is False, "somebody else sat there since"


async def test_a_box_holds_256_for_two_minutes(call: Call, valkey: redis.Redis) -> None:
    ann, bob = await pair(call)
    start = bob.after
    await asyncio.gather(*(ann.relay(call.bob, b"x") for _ in range(300)))
    assert valkey.xlen(names.box(call.visit, call.bob)) == 256
    assert 0 < valkey.ttl(names.box(call.visit, call.bob)) <= 120
    assert await call.seat(call.bob).sit(start) is False, "the first 44 are gone"


async def test_nothing_readable_is_kept_and_a_box_moved_to_another_does_not_open(call: Call, valkey: redis.Redis) -> None:
    ann, _bob = await pair(call)
    await ann.relay(call.bob, SECRET)
    kept = [valkey.xrange(key) for key in valkey.keys("*box*")]
    assert kept and SECRET not in b"".join(fields[b"b"] for entries in kept for _, fields in entries)
    ((_, fields),) = valkey.xrange(names.box(call.visit, call.bob))
    desk.post(call.visit, call.ann, fields[b"b"])
    with pytest.raises(Broken):
        await ann.read()


async def test_the_silent_are_handed_out_once(call: Call, valkey: redis.Redis) -> None:
    await pair(call)
    assert desk.silent(call.visit) == []
    valkey.zadd(names.here(call.visit), {str(call.bob): 1})
    assert desk.silent(call.visit) == [call.bob]
    assert desk.silent(call.visit) == []
    assert desk.present(call.visit) == [call.ann]
    assert desk.last_heard(call.visit, [call.bob]) > 1_700_000_000 and desk.last_heard(call.visit, [call.eve]) == 0


async def test_visits_do_not_touch(call: Call) -> None:
    ann, _ = await pair(call)
    other = Call()
    other.grant(1, call.ann, call.bob)
    with pytest.raises(wire.Replaced):
        await wire.Seat(other.visit, call.ann, ann.connection, ann.seal).relay(call.bob, b"x")
