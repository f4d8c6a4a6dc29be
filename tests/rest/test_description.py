"""The OpenAPI description says what the faces declare, and nothing has to be guessed."""

from typing import Any

from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


def described(urlconf: str) -> dict[str, Any]:
    with GENERATOR_STATS.silence():
        made: dict[str, Any] = SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)
    assert not GENERATOR_STATS, dict(GENERATOR_STATS._warn_cache) | dict(GENERATOR_STATS._error_cache)
    validate_schema(made)
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
