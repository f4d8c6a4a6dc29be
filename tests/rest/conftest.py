"""The engine served alone: its own addresses, sign-in and gate."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

PIA = UUID(int=1)
Ask = Callable[..., Any]


@pytest.fixture
def ask(db: None, settings: Settings) -> Ask:
    """Send one request as pia (or `actor=`), with a JSON body when `data` is given; the reply, whatever it is."""
    settings.ROOT_URLCONF = "tests.rest.world"
    settings.REST_GATE = "tests.rest.world.gate"
    client = Client(raise_request_exception=False)

    def send(method: str, path: str, data: Any = None, *, actor: object = PIA, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if actor is not None:
            sent["Actor"] = str(actor)
        body = {}
        if data is not None:
            raw = data if isinstance(data, bytes) else json.dumps(data).encode()
            body = {"data": raw, "content_type": sent.pop("Content-Type", "application/json")}
        return getattr(client, method)(f"/api/v1/{path}", headers=sent, secure=True, **body)

    return send
