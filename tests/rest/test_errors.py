"""What bad input gets: the documented problem, never a value of the input and never a trace."""

import logging

import pytest

from telehealth.core.logs import formatter
from telehealth.rest.models import IdempotencyKey as Thing
from tests.rest.conftest import Ask
from tests.rest.world import NED, SECRET

Faults = list[tuple[str, str]] | None
PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("body", "code", "errors"),
    [
        ({"number": 5}, "invalid", [("number", "min_value")]),
        ({"number": SECRET}, "invalid", [("number", "invalid")]),
        ({}, "invalid", [("number", "required")]),
        ({"number": 200, "nunber": SECRET}, "invalid", [("nunber", "unknown_field")]),
        ({"number": 200, f"{SECRET} & co": 1}, "invalid", [("?", "unknown_field")]),
        ({"number": 200, "place": {"city": SECRET}}, "invalid", [("place.city", "max_length")]),
        ({"number": 200, "place": {"town": "x", "city": "y"}}, "invalid", [("place.town", "unknown_field")]),
        ([SECRET], "invalid", [("", "invalid")]),
        (SECRET, "invalid", [("", "invalid")]),
        (b'{"number": 200', "malformed", None),
        (b'{"number": NaN}', "malformed", None),
        (b'{"number": 200, "comment": "\\u0000"}', "malformed", None),
        (b'{"number": 200, "comment": "\\ud800"}', "malformed", None),
        (b"\xff\xfe", "malformed", None),
        (b"[" * 100_000, "malformed", None),
    ],
)
def test_a_bad_body_is_a_400_that_names_fields_and_codes_only(
    ask: Ask, body: object, code: str, errors: list[tuple[str, str]] | None
) -> None:
    reply = ask("post", "things/", body)

    assert reply.status_code == 400
    assert reply["Content-Type"] == PROBLEM
    problem = reply.json()
    assert (problem["code"], problem["status"], problem["type"]) == (code, 400, f"urn:telehealth:problem:{code}")
    assert problem.get("errors") == (None if errors is None else [{"field": f, "code": c} for f, c in errors])
    assert SECRET not in reply.content.decode()
    assert not Thing.objects.exists()


def test_an_escaped_backslash_before_u0000_is_no_nul(ask: Ask) -> None:
    assert ask("post", "things/", b'{"number": 200, "comment": "\\\\u0000"}').status_code == 201


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "*/*"])
def test_another_content_type_is_refused(ask: Ask, media: str) -> None:
    reply = ask("post", "things/", b'{"number": 200}', Content_Type=media)

    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported_media_type")


def test_a_body_beyond_the_limit_is_refused_and_a_face_may_allow_more(ask: Ask) -> None:
    big = b'{"number": 200, "comment": "' + b"x" * 1024 * 1024 + b'"}'

    assert (ask("post", "things/", big).status_code, ask("post", "big/", big).json()) == (413, {"bytes": len(big)})
    assert ask("post", "big/", big * 2).json()["code"] == "too_large"
    assert ask("post", "big/", big, Content_Type="application/fhir+json").status_code == 200
    assert ask("post", "big/", big, Content_Type="text/plain").status_code == 415


def test_a_stranger_is_asked_to_sign_in(ask: Ask) -> None:
    reply = ask("post", "things/", {"number": 200}, actor=None)

    assert (reply.status_code, reply.json()["code"]) == (401, "not_signed_in")
    assert reply["WWW-Authenticate"].startswith("Bearer")


def test_a_password_alone_opens_nothing(ask: Ask) -> None:
    reply = ask("get", "things/", actor=f"{NED} password-only")

    assert (reply.status_code, reply.json()["code"]) == (403, "second_factor_required")


def test_a_parameter_that_no_face_asks_for_is_refused(ask: Ask) -> None:
    reply = ask("get", "versioned/?nunber=2")

    assert (reply.status_code, reply.json()["errors"]) == (400, [{"field": "nunber", "code": "unknown_field"}])


def test_refused_missing_and_unrouted_look_alike(ask: Ask) -> None:
    refused, missing, unrouted = ask("post", "forbidden/"), ask("get", "nowhere/"), ask("get", "things/x/")

    assert refused.status_code == missing.status_code == unrouted.status_code == 404
    assert refused.content == missing.content == unrouted.content
    assert refused["Content-Type"] == missing["Content-Type"] == PROBLEM


def test_a_method_that_is_not_served_is_a_405(ask: Ask) -> None:
    for method in ("delete", "put", "patch", "options"):
        reply = ask(method, "things/")
        assert (reply.status_code, reply.json()["code"]) == (405, "method_not_allowed")
        assert "GET" in reply["Allow"]


def test_a_conflict_carries_its_code_and_public_extras_but_no_facts(ask: Ask) -> None:
    reply = ask("post", "taken/", {"number": 200})

    assert reply.status_code == 409
    assert reply.json() | {"title": ""} == {
        "type": "urn:telehealth:problem:thing_taken",
        "title": "",
        "status": 409,
        "code": "thing_taken",
        "retry": False,
    }


def test_the_unexpected_is_a_500_without_detail_in_reply_or_log(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        reply = ask("post", "broken/", {"comment": SECRET})

    assert (reply.status_code, reply.json()["code"]) == (500, "unexpected")
    assert SECRET not in reply.content.decode()
    told = "".join(formatter().format(record) for record in caplog.records)
    assert '"error":"RuntimeError","view":"Broken"' in told
    assert SECRET not in told


def test_stored_json_passes_through_untouched(ask: Ask) -> None:
    assert ask("get", "stored/", actor=None).content == b'{"body":{"value": 1.10}}'
