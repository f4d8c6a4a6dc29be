import json
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consults.protocol.incoming import MAX_FRAME, TYPES, Candidate, Description, Join, UnknownType, Unreadable, parse
from consults.protocol.outgoing import RelayedDescription, numbered
from consults.protocol.rates import RATES, STRIKES, Allowance

PEER = "0190aaaa-0000-7000-8000-000000000001"
SDP = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n"

WELL_FORMED = [
    {"type": "join"},
    {"type": "join", "ticket": "t" * 43, "resume": 7},
    {"type": "description", "to": PEER, "description": {"type": "offer", "sdp": SDP}},
    {"type": "description", "to": PEER, "description": {"type": "rollback"}},
    {"type": "candidate", "to": PEER, "candidate": None},
    {
        "type": "candidate",
        "to": PEER,
        "candidate": {"candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host", "sdpMid": "0"},
    },
    {"type": "media", "audio": True, "video": False},
    {"type": "ping"},
    {"type": "leave"},
]

MALFORMED = [
    "",
    "null",
    "[]",
    "7",
    "{",
    '{"type": 1}',
    "[" * 60_000,
    '{"type":"join","x":' + "[" * 60_000,
    "\ud800",
    json.dumps({"type": "join", "visit": PEER}),
    json.dumps({"type": "join", "ticket": ""}),
    json.dumps({"type": "join", "ticket": "t" * 129}),
    json.dumps({"type": "join", "resume": -1}),
    json.dumps({"type": "join", "resume": "1"}),
    json.dumps({"type": "description", "to": "me", "description": {"type": "offer", "sdp": SDP}}),
    json.dumps({"type": "description", "to": PEER, "description": {"type": "offer", "sdp": "x=0"}}),
    json.dumps({"type": "description", "to": PEER, "description": {"type": "offer", "sdp": ""}}),
    json.dumps({"type": "description", "to": PEER, "description": {"type": "rollback", "sdp": SDP}}),
    json.dumps({"type": "description", "to": PEER, "description": {"type": "pranswer", "sdp": SDP}}),
    json.dumps({"type": "description", "to": PEER, "description": {"type": "offer", "sdp": "v=0" + "a" * 65_536}}),
    json.dumps({"type": "candidate", "to": PEER}),
    json.dumps({"type": "candidate", "to": PEER, "candidate": {"candidate": "c" * 1025}}),
    json.dumps({"type": "candidate", "to": PEER, "candidate": {"candidate": "", "sdpMLineIndex": 256}}),
    json.dumps({"type": "media", "audio": 1, "video": True}),
    json.dumps({"type": "ping", "from": PEER}),
    json.dumps({"type": "join", "resume": None, "ticket": "é" * MAX_FRAME}),
]


@pytest.mark.parametrize("message", WELL_FORMED, ids=lambda m: str(m["type"]))
def test_each_message_of_the_protocol_is_read(message: dict[str, object]) -> None:
    assert type(parse(json.dumps(message))).__name__.lower() == message["type"]


@pytest.mark.parametrize("frame", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_not_a_message_is_unreadable(frame: str) -> None:
    with pytest.raises(Unreadable):
        parse(frame)


@pytest.mark.parametrize("kind", ["visit.nudge", "websocket.close", "disconnect", "joined", "", "Join"])
def test_a_type_outside_the_table_is_unknown(kind: str) -> None:
    with pytest.raises(UnknownType):
        parse(json.dumps({"type": kind}))


JUNK = st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=3), max_leaves=5)


@given(
    st.text(max_size=60)
    | st.dictionaries(st.sampled_from(["type", "to", "resume", "sdp"]), JUNK | st.sampled_from([*TYPES]), max_size=4).map(json.dumps)
)
@settings(max_examples=150)
def test_no_frame_raises_anything_else(frame: str) -> None:
    try:
        parse(frame)
    except (Unreadable, UnknownType):
        return


def test_values_arrive_typed() -> None:
    join = parse('{"type":"join","resume":3}')
    assert isinstance(join, Join) and join.resume == 3 and join.ticket is None
    candidate = parse(json.dumps({"type": "candidate", "to": PEER, "candidate": None}))
    assert isinstance(candidate, Candidate) and candidate.to == UUID(PEER) and candidate.candidate is None


def test_a_relayed_description_names_its_sender_and_number() -> None:
    said = parse(json.dumps({"type": "description", "to": PEER, "description": {"type": "offer", "sdp": SDP}}))
    assert isinstance(said, Description)
    body = msgspec.json.encode(RelayedDescription(UUID(PEER), said.description))
    assert numbered(body, 4) == {
        "type": "description",
        "from": PEER,
        "description": {"type": "offer", "sdp": SDP},
        "seq": 4,
    }


def test_every_type_has_its_rate() -> None:
    assert set(TYPES) | {"unreadable"} == set(RATES)


@pytest.mark.parametrize("kind", sorted(RATES))
def test_a_burst_fits_the_next_does_not_and_time_heals(kind: str) -> None:
    burst, refill = RATES[kind]
    allowance = Allowance()
    assert all(allowance.spend(kind, 10.0) for _ in range(burst))
    assert not allowance.spend(kind, 10.0)
    assert allowance.spend(kind, 10.0 + 1 / refill + 0.01)


def test_patience_ends_after_the_strikes() -> None:
    allowance = Allowance()
    for _ in range(RATES["ping"][0] + STRIKES):
        allowance.spend("ping", 0.0)
    assert not allowance.exhausted
    allowance.spend("ping", 0.0)
    assert allowance.exhausted
