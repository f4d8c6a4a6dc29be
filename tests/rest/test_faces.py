"""A face that does not say what it gives access to must not start; versions guard what two people change."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from telehealth.rest.faces import CreateFace, Face
from tests.rest.conftest import Ask
from tests.rest.world import READ


def served(self: object, request: object) -> None:
    """A handler that is never reached."""


@pytest.mark.parametrize(
    "body",
    [
        {"get": served},
        {"get": served, "access": None},
        {"get": served, "access": ()},
        {"get": served, "access": ("read", "")},
        {"get": served, "access": "read"},
        {"get": served, "access": {}},
        {"get": served, "access": {"post": READ}},
        {"get": served, "post": served, "access": {"get": READ}},
        {"get": served, "access": {"get": READ, "put": READ}},
        {"get": served, "access": {"get": None}},
    ],
)
def test_a_face_without_a_full_access_declaration_does_not_start(body: dict[str, object]) -> None:
    with pytest.raises(ImproperlyConfigured):
        type("Forgetful", (Face,), body)


def test_a_creating_face_must_declare_its_post() -> None:
    with pytest.raises(ImproperlyConfigured):
        type("Forgetful", (CreateFace,), {"get": served, "access": {"get": READ}})


def test_no_gate_serves_nothing(ask: Ask, settings: Settings) -> None:
    settings.REST_GATE = ""

    assert ask("get", "things/").status_code == 500


def test_a_change_says_which_version_it_changes(ask: Ask) -> None:
    version = ask("get", "versioned/")["ETag"]

    assert version == '"7"'
    assert ask("put", "versioned/", {}, If_Match=version).json() == {"changed": True}
    for stale in ('"6"', "*", "seven", '"77777777777777"', ""):
        reply = ask("put", "versioned/", {}, If_Match=stale)
        assert (reply.status_code, reply.json()["code"]) == (412, "version_changed")
    assert ask("put", "versioned/", {}).status_code == 428
