"""The OpenAPI description says what the faces declare, and nothing has to be guessed."""

import json
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


def described(urlconf: str) -> dict[str, Any]:
    with GENERATOR_STATS.silence():
        made: dict[str, Any] = SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS, dict(GENERATOR_STATS._warn_cache) | dict(GENERATOR_STATS._error_cache)
    validate_schema(made)  # type: ignore[no-untyped-call]
    return made


def test_faces_are_described_by_what_they_declare() -> None:
    made = described("tests.rest.world")

    create = made["paths"]["/api/v1/things/"]["post"]
    assert create["x-access"] == ["create", "thing"]
    assert "Idempotency-Key" in [parameter["name"] for parameter in create["parameters"]]
    assert create["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/ThingIn")
    assert "201" in create["responses"] and "default" in create["responses"]
    listing = made["paths"]["/api/v1/things/"]["get"]
    assert {"number", "limit", "cursor"} <= {parameter["name"] for parameter in listing["parameters"]}
    assert made["paths"]["/api/v1/stored/"]["get"].get("security", []) == []


def test_the_projects_own_description_needs_no_guess() -> None:
    described("config.urls")


@pytest.mark.django_db
def test_the_description_is_open(client: Client) -> None:
    reply = client.get("/api/schema/", secure=True)

    assert (reply.status_code, reply["Content-Type"]) == (200, "application/vnd.oai.openapi+json")
    assert json.loads(reply.content)["openapi"].startswith("3.")
