"""The visit's socket as a client sees it: who gets in, what is relayed to whom, how it ends (contract C7)."""

import json
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis

from audit.ledger import Act
from audit.ledger.models import Entry
from consults import services
from consults.consumers import door, visit
from consults.mailboxes import desk, names
from consults.models import Participant
from consults.protocol import rates
from consults.protocol.codes import Close
from consults.protocol.incoming import TYPES
from consults.protocol.rates import RATES, STRIKES
from telehealth.accounts.models import User
from tests.consults.devices import SDP, Devices, do, in_call
from tests.consults.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)
OFFER = {"type": "offer", "sdp": SDP}


async def test_a_call_from_waiting_to_the_end(room: Devices) -> None:
    pia = await room.browser("pia")
    await pia.say(type="join")
    assert (await pia.hear("waiting"))["position"] == 1
    await do(services.admit, visit_id=room.visit, by=room.stage.cast.dr_cho)
    assert (await pia.hear("state"))["waiting"] == "admitted"
    joined = await pia.hear("joined")
    assert joined["members"] == [] and joined["ice_servers"] == [] and joined["you"]["polite"] is True

    cho, told = await room.joined("dr_cho")
    assert [(m["role"], m["polite"]) for m in told["members"]] == [("patient", True)]
    arrived = await pia.hear("peer-joined")
    assert (arrived["role"], arrived["polite"]) == ("provider", False)
    assert (await pia.hear("state")) | {"seq": 0} == {"type": "state", "waiting": "in-call", "status": "in-progress", "seq": 0}

    a, b = told["you"]["member"], joined["you"]["member"]
    await cho.say(type="description", to=b, description=OFFER)
    got = await pia.hear("description")
    assert (got["from"], got["description"]) == (a, OFFER)
    await pia.say(type="description", to=a, description={"type": "answer", "sdp": SDP})
    assert (await cho.hear("description"))["description"]["type"] == "answer"
    candidate = {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": None}
    for each in (candidate, None):
        await pia.say(type="candidate", to=a, candidate=each)
        assert (await cho.hear("candidate"))["candidate"] == each
    await cho.say(type="media", audio=False, video=True)
    assert (await pia.hear("media")) | {"seq": 0} == {"type": "media", "from": a, "audio": False, "video": True, "seq": 0}

    await pia.say(type="leave")
    assert await pia.closed() == 1000
    assert (await cho.hear("peer-left"))["member"] == b
    await cho.say(type="leave")
    assert await cho.closed() == 1000
    assert (await do(lambda: room.stage.visit.waiting)) == "left"


async def test_numbers_have_no_gaps(call: Devices) -> None:
    cho, pia, _a, b = await in_call(call)
    await pia.silent()
    last = pia.seen
    for n in range(5):
        await cho.say(type="candidate", to=b, candidate={"candidate": str(n)})
    assert [(await pia.hear("candidate"))["seq"] for _ in range(5)] == [last + n for n in range(1, 6)]


# What is not a message


async def test_unknown_types_are_answered_and_never_reach_the_channel_layer(room: Devices) -> None:
    pia = await room.browser("pia")
    await pia.say(type="join")
    await pia.hear("waiting")
    for kind in ("visit.dismiss", "door.tick", "websocket.disconnect", "visit_changed"):
        await pia.say(type=kind, member=str(uuid4()))
        assert await pia.hear("error") == {"type": "error", "code": "unknown_type", "retryable": False}
    assert await pia.silent()


async def test_five_unreadable_frames_end_it(room: Devices) -> None:
    pia = await room.browser("pia")
    for frame in ("{", "[]", '{"type": 7}', '{"type":"join","extra":1}'):
        await pia.wire.send_to(text_data=frame)
        assert (await pia.hear("error"))["code"] == "malformed"
    await pia.wire.send_to(text_data="null")
    assert await pia.closed() == Close.MALFORMED


@pytest.mark.parametrize("frame", [{"bytes_data": b"\x00"}, {"text_data": '{"type":"ping"}' + " " * 73_728}])
async def test_binary_and_oversized_frames_end_it_at_once(room: Devices, frame: dict[str, Any]) -> None:
    pia = await room.browser("pia")
    await pia.wire.send_to(**frame)
    assert await pia.closed() == Close.MALFORMED


async def test_too_many_words(room: Devices) -> None:
    pia = await room.browser("pia")
    await pia.say(type="join")
    await pia.hear("waiting")
    for _ in range(RATES["ping"][0] + STRIKES + 1):
        await pia.say(type="ping")
    assert await pia.closed() == Close.RATE


async def test_joining_twice_is_an_error_not_an_end(room: Devices) -> None:
    pia = await room.browser("pia")
    await pia.say(type="join")
    await pia.hear("waiting")
    await pia.say(type="join")
    assert (await pia.hear("error"))["code"] == "already_joined"


async def test_whatever_is_sent_there_is_an_answer_or_a_documented_end(call: Devices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "RATES", {kind: (10_000, 1.0) for kind in rates.RATES})
    _, _, a, b = await in_call(call)
    dice, ends = Random(7), set()
    device, _ = await call.joined("pia")
    for _ in range(120):
        frame = mangled(dice, [a, b, str(uuid4()), "", None])
        await device.wire.send_input({"type": "websocket.receive", "text": frame})
        await device.say(type="ping")
        while (output := await device.wire.receive_output(5))["type"] == "websocket.send":
            if json.loads(output["text"])["type"] == "pong":
                break
        else:
            ends.add(output["code"])
            device, _ = await call.joined("pia")
    assert ends == {1000, 4400}


def mangled(dice: Random, members: list[str | None]) -> str:
    """One of our messages with a part exchanged, or cut short."""
    member, kind = dice.choice(members), dice.choice([*TYPES, "state", ""])
    parts: dict[str, Any] = {"to": member, "description": OFFER, "candidate": dice.choice([None, {"candidate": "c"}, 7]), "resume": 1}
    chosen = {name: parts[name] for name in dice.sample(sorted(parts), dice.randrange(4))}
    frame = json.dumps({"type": kind, **chosen})
    return frame if dice.random() < 0.8 else frame[: dice.randrange(len(frame))]


# Only admitted members of this visit


async def test_who_waits_neither_sends_nor_receives(room: Devices, stage: Stage) -> None:
    cho, _told = await room.joined("dr_cho")
    pia = await room.browser("pia")
    await pia.say(type="join")
    await pia.hear("waiting")
    members = await do(lambda: dict(Participant.objects.values_list("role", "id")))
    await pia.say(type="description", to=members["provider"], description=OFFER)
    assert (await pia.hear("error")) == {"type": "error", "code": "not_admitted", "retryable": True}
    await cho.say(type="description", to=members["patient"], description=OFFER)
    assert (await cho.hear("error"))["code"] == "no_such_member"
    await cho.say(type="media", audio=True, video=True)
    assert await cho.silent() and await pia.silent()


async def test_somebody_of_another_visit_is_no_member(call: Devices) -> None:
    cho, pia, a, _b = await in_call(call)
    for nobody in (uuid4(), a):
        await cho.say(type="description", to=nobody, description=OFFER)
        assert (await cho.hear("error"))["code"] == "no_such_member"
    assert await pia.silent()


async def test_hold_cuts_the_line_at_once_and_readmission_begins_anew(call: Devices, stage: Stage) -> None:
    cho, pia, a, b = await in_call(call)
    await do(services.hold, visit_id=call.visit, by=stage.cast.dr_cho)
    assert (await pia.hear("waiting"))["waiting"] == "held"
    assert (await cho.hear("peer-left"))["member"] == b
    await pia.say(type="description", to=a, description=OFFER)
    assert (await pia.hear("error"))["code"] == "not_admitted"
    assert await cho.silent()
    await do(services.admit, visit_id=call.visit, by=stage.cast.dr_cho)
    assert [m["member"] for m in (await pia.hear("joined"))["members"]] == [a]
    assert (await cho.hear("peer-joined"))["member"] == b


async def test_a_removed_patient_is_shown_out_and_stays_out(call: Devices, stage: Stage) -> None:
    _, pia, *_ = await in_call(call)
    await do(services.remove, visit_id=call.visit, by=stage.cast.dr_cho)
    assert await pia.closed() == Close.NOT_PERMITTED
    again = await call.browser("pia")
    await again.say(type="join")
    assert await again.closed() == Close.NOT_PERMITTED


async def test_leaving_by_rest_closes_the_socket(call: Devices, stage: Stage) -> None:
    cho, pia, _, b = await in_call(call)
    await do(services.leave, visit_id=call.visit, by=stage.cast.pia)
    assert await pia.closed() == Close.NORMAL
    assert (await cho.hear("peer-left"))["member"] == b


# Lost sockets and other devices


async def test_a_resumed_socket_misses_nothing_and_the_others_notice_nothing(call: Devices) -> None:
    cho, pia, a, b = await in_call(call)
    await cho.say(type="candidate", to=b, candidate={"candidate": "before"})
    await pia.hear("candidate")
    await pia.drop()
    await cho.say(type="candidate", to=b, candidate={"candidate": "meanwhile"})
    assert await cho.silent()
    back = await call.browser("pia")
    await back.say(type="join", resume=pia.seen)
    missed = await back.hear("candidate")
    assert missed["candidate"]["candidate"] == "meanwhile" and missed["seq"] > pia.seen
    joined = await back.hear("joined")
    assert joined["resumed"] is True and [m["member"] for m in joined["members"]] == [a]
    assert await cho.silent()


async def test_without_resume_one_begins_anew(call: Devices) -> None:
    cho, pia, _a, b = await in_call(call)
    await cho.say(type="candidate", to=b, candidate={"candidate": "old"})
    await pia.hear("candidate")
    await pia.drop()
    _back, joined = await call.joined("pia")
    assert joined["resumed"] is False and joined["seq"] > pia.seen
    assert (await cho.hear("peer-joined"))["member"] == b


async def test_a_later_device_replaces_the_earlier(call: Devices) -> None:
    cho, pia, a, b = await in_call(call)
    phone = await call.device()
    await phone.say(type="join", ticket=await call.ticket("pia"))
    assert (await phone.hear("joined"))["you"]["member"] == b
    assert await pia.closed() == Close.REPLACED
    assert (await cho.hear("peer-joined"))["member"] == b
    await cho.say(type="description", to=b, description=OFFER)
    assert (await phone.hear("description"))["from"] == a


async def test_silence_is_noticed_and_told(call: Devices, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TICK_SECONDS", 0.05)
    cho, pia, _, b = await in_call(call)
    await pia.drop()
    valkey.zadd(names.here(call.visit), {b: 1})
    assert (await cho.hear("peer-left"))["member"] == b


async def test_signing_out_everywhere_closes_the_socket(call: Devices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TICK_SECONDS", 0.05)
    pia, _ = await call.joined("pia")
    await do(User.objects.filter(pk=call.stage.cast.pia.id).update, epoch=9)
    assert await pia.closed() == Close.NOT_JOINED


async def test_silence_outside_a_call_ends_in_4408(room: Devices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(visit, "IDLE_AFTER", 0.0)
    pia = await room.browser("pia")
    await pia.say(type="join")
    assert await pia.closed() == Close.IDLE


# On record, and nothing else anywhere


async def test_an_entry_that_cannot_be_written_closes_with_1011(room: Devices, as_owner: Any) -> None:
    pia = await room.browser("pia")
    as_owner("ALTER TABLE audit_entry ADD CONSTRAINT tests_full CHECK (false) NOT VALID")
    try:
        await pia.say(type="join")
        assert await pia.closed() == Close.NOT_RECORDED
    finally:
        as_owner("ALTER TABLE audit_entry DROP CONSTRAINT tests_full")
    assert not await do(Participant.objects.filter(joined_at__isnull=False).exists)


async def test_nothing_of_the_signalling_is_kept_readably(call: Devices, valkey: redis.Redis) -> None:
    cho, pia, _, b = await in_call(call)
    await cho.say(type="description", to=b, description=OFFER)
    await pia.hear("description")
    kept = [valkey.dump(key) or b"" for key in valkey.keys("*")]
    assert any(b":box:" in key for key in valkey.keys("*"))
    assert not any(b"fingerprint" in value or b"v=0" in value for value in kept)
    told = await do(lambda: json.dumps(list(Entry.objects.values_list("detail", flat=True)), default=str))
    assert "fingerprint" not in told


async def test_what_was_put_into_the_mailbox_by_somebody_else_ends_the_socket(call: Devices) -> None:
    cho, pia, _, b = await in_call(call)
    await do(desk.post, call.visit, UUID(b), b"\x01\x00\x01 not sealed by this visit's key")
    await cho.say(type="media", audio=True, video=True)
    assert await pia.closed() == Close.NOT_RECORDED
    assert await cho.silent()


async def test_joining_is_on_record_as_the_person(call: Devices) -> None:
    await in_call(call)
    rows = await call.entries(Act.VISIT_JOINED, "channel", "role", "actor_id")
    cast = call.stage.cast
    assert sorted(rows) == [("WS", "patient", cast.pia.id), ("WS", "provider", cast.dr_cho.id)]
