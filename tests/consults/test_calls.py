"""The small pure parts of a call: who yields, which ICE servers, whose Origin."""

import base64
import hashlib
import hmac
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from consults import ice
from consults.consumers.door import own_origin
from consults.protocol.politeness import polite, polite_alone

ROLES = st.sampled_from(["provider", "interpreter", "patient", "proxy", "guest"])


@given(ROLES, st.uuids(), ROLES, st.uuids())
def test_of_two_exactly_one_yields(role: str, one: UUID, other_role: str, other: UUID) -> None:
    if one != other:
        assert polite(role, one, other_role, other) is not polite(other_role, other, role, one)


def test_the_provider_makes_the_first_offer() -> None:
    assert not polite("provider", uuid4(), "patient", uuid4())
    assert not polite_alone("provider") and polite_alone("patient")


def test_without_configuration_there_is_no_ice_server(settings: Settings) -> None:
    settings.STUN_URLS = settings.TURN_URLS = []
    settings.TURN_SECRET = ""
    assert ice.ice_servers() == []


def test_turn_credentials_are_the_schemes_and_tell_nothing(settings: Settings) -> None:
    settings.STUN_URLS, settings.TURN_URLS, settings.TURN_SECRET = ["stun:t.example"], ["turns:t.example:443"], "secret"
    stun, turn = ice.ice_servers()
    assert stun.urls == ["stun:t.example"] and not stun.username
    mac = hmac.new(b"secret", turn.username.encode(), hashlib.sha1).digest()
    assert turn.credential == base64.b64encode(mac).decode()
    assert turn.username.split(":")[0].isdigit() and turn.username != ice.ice_servers()[1].username


def scope(**headers: str) -> dict[str, Any]:
    return {"scheme": "ws", "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}


@pytest.mark.parametrize(
    ("origin", "verdict"),
    [
        ("http://localhost:8000", True),
        ("http://testserver", True),
        ("https://testserver", False),
        ("http://evil.example", False),
        ("http://testserver.evil.example", False),
        ("http://testserver:81", False),
        ("null", False),
    ],
)
def test_only_our_own_pages_connect(origin: str, verdict: bool) -> None:
    assert own_origin(scope(host="testserver", origin=origin)) is verdict


def test_a_host_that_is_not_ours_makes_no_origin_ours() -> None:
    assert own_origin(scope(host="evil.example", origin="http://evil.example")) is False
    assert own_origin(scope(host="testserver")) is None
