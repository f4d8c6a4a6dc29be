"""Who gets in at the visit's socket, and who does not: each is refused by the documented code, on record (contract C7)."""

import hashlib
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import redis

from consults import services
from consults.consumers import door, visit
from consults.mailboxes import desk, names
from consults.protocol.codes import Close
from telehealth.accounts.models import User
from telehealth.accounts.services import mark_guardian
from telehealth.core import now
from telehealth.records.models import ProxyGrant
from tests.consults.devices import Devices, do, in_call
from tests.consults.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("who", ["ned", "dr_dee", "desk", "biller", "privacy", "admin"])
async def test_strangers_and_bystanders(room: Devices, who: str) -> None:
    stranger = await room.browser(who)
    await stranger.say(type="join")
    assert await stranger.closed() == Close.NOT_PERMITTED
    assert len(await room.refusals()) == 1


async def test_a_guessed_visit_closes_like_a_foreign_one(room: Devices) -> None:
    guess = await room.browser("ned", path=f"/ws/visits/{uuid4()}/")
    await guess.say(type="join")
    assert await guess.closed() == Close.NOT_PERMITTED
    assert await room.refusals() == ["not_visible"]


async def test_a_foreign_origin_is_refused_before_a_word(room: Devices) -> None:
    device = await room.browser("pia", origin=b"https://evil.example")
    assert await device.closed() == Close.NOT_PERMITTED
    assert await room.refusals() == ["foreign_origin"]


async def test_a_session_without_an_origin_counts_for_nothing(room: Devices) -> None:
    signed_in = await room.browser("pia")
    cookie = dict(signed_in.wire.scope["headers"])[b"cookie"]
    device = await room.device(cookie=cookie)
    await device.say(type="join")
    assert await device.closed() == Close.NOT_JOINED
    assert await room.refusals() == ["not_signed_in"]


async def test_a_password_alone_is_not_enough(room: Devices) -> None:
    device = await room.browser("pia", factor=False)
    await device.say(type="join")
    assert await device.closed() == Close.NOT_JOINED


async def test_a_ticket_opens_once_its_own_visit(room: Devices, stage: Stage) -> None:
    ticket = await room.ticket("pia")
    app = await room.device()
    await app.say(type="join", ticket=ticket)
    await app.hear("waiting")
    again = await room.device()
    await again.say(type="join", ticket=ticket)
    assert await again.closed() == Close.NOT_JOINED

    other = await room.device(f"/ws/visits/{uuid4()}/")
    await other.say(type="join", ticket=await room.ticket("pia"))
    assert await other.closed() == Close.NOT_JOINED
    assert await room.refusals() == ["ticket_invalid", "ticket_invalid"]


def a_minors(stage: Stage) -> None:
    """The patient is nine, and gus has known it all along."""
    stage.cast.pia_record.birth_date = f"{now().year - 9}-01-02"
    stage.cast.pia_record.save()
    ProxyGrant.objects.update(of_minor=True)
    mark_guardian(account_id=stage.cast.gus.account)


@pytest.mark.parametrize("mark", [True, False])
async def test_a_ticket_bears_the_mark_of_who_guards_a_minor(room: Devices, stage: Stage, mark: bool) -> None:
    """Given to a guardian of a minor; what Redis keeps without the mark opens nothing."""
    await do(a_minors, stage)
    ticket = await room.ticket("gus")
    if not mark:
        key = names.ticket(hashlib.sha256(ticket.encode()).hexdigest())
        kept = msgspec.json.decode(await do(desk.redis().get, key))
        await do(desk.redis().set, key, msgspec.json.encode({**kept, "guards_minors": False}))
    app = await room.device()
    await app.say(type="join", ticket=ticket)
    if mark:
        await app.hear("waiting")
    else:
        assert await app.closed() == Close.NOT_PERMITTED


@pytest.mark.parametrize("change", [{"is_active": False}, {"epoch": 7}])
async def test_a_ticket_dies_with_what_it_was_given_on(room: Devices, change: dict[str, Any]) -> None:
    ticket = await room.ticket("pia")
    await do(User.objects.filter(pk=room.stage.cast.pia.id).update, **change)
    app = await room.device()
    await app.say(type="join", ticket=ticket)
    assert await app.closed() == Close.NOT_JOINED


async def test_a_ticket_lives_30_seconds_and_only_as_a_hash(room: Devices, valkey: redis.Redis) -> None:
    ticket = await room.ticket("pia")
    (key,) = valkey.keys("visit-ticket:*")
    assert 0 < valkey.ttl(key) <= 30 and ticket.encode() not in key + (valkey.get(key) or b"")


async def test_an_ended_visit(call: Devices, stage: Stage) -> None:
    cho, pia, *_ = await in_call(call)
    await do(stage.signed_note)
    ticket = await call.ticket("pia")
    await do(services.complete, visit_id=call.visit, by=stage.cast.dr_cho)
    assert (await pia.closed(), await cho.closed()) == (Close.ENDED, Close.ENDED)
    for late in (await call.browser("dr_cho"), await call.device()):
        await late.say(type="join", **({"ticket": ticket} if late is call.made[-1] else {}))
        assert await late.closed() == Close.ENDED
    assert await call.refusals() == ["visit_ended", "visit_ended"]


async def test_who_says_nothing_in_time(room: Devices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "JOIN_WITHIN", 0.05)
    device = await room.browser("pia")
    assert await device.closed() == Close.NOT_JOINED
    assert await room.refusals() == ["no_join"]


async def test_who_speaks_before_joining(room: Devices) -> None:
    device = await room.browser("pia")
    await device.say(type="media", audio=True, video=True)
    assert await device.closed() == Close.NOT_JOINED


async def test_a_proxy_whose_grant_ends_is_shown_out_of_the_call(call: Devices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TICK_SECONDS", 0.1)
    cho, _ = await call.joined("dr_cho")
    gus = await call.browser("gus")
    await gus.say(type="join")
    await gus.hear("waiting")
    await do(services.admit, visit_id=call.visit, by=call.stage.cast.dr_cho)
    member = (await gus.hear("joined"))["you"]["member"]

    await do(ProxyGrant.objects.filter(proxy=call.stage.cast.gus.id).update, ends_at=now())

    assert await gus.closed() == Close.NOT_PERMITTED
    await cho.hear("peer-joined")
    assert (await cho.hear("peer-left"))["member"] == member
