"""The engine served alone: its own addresses, sign-in and gate."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import SettingsWrapper
from rest_framework.test import APIClient

from tests.rest.world import PIA

Ask = Callable[..., Any]


@pytest.fixture
def ask(db: None, settings: SettingsWrapper) -> Ask:
    """Send one request as pia (or `actor=`), with a JSON body when `data` is given; the reply, whatever it is."""
    settings.ROOT_URLCONF = "tests.rest.world"
    settings.REST_GATE = "tests.rest.world.gate"
    client = APIClient(raise_request_exception=False)

    def send(method: str, path: str, data: Any = None, *, actor: object = PIA, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if actor is not None:
            sent["Actor"] = str(actor)
        body = {} if data is None else {"data": data, "format": "json"}
        if isinstance(data, bytes):
            body = {"data": data, "content_type": sent.pop("Content-Type", "application/json")}
        return getattr(client, method)(f"/api/v1/{path}", headers=sent, **body)

    return send
