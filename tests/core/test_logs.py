"""Log lines hold what is on the list and has the shape of a code; routes, never addresses; exceptions by type and place."""

import ast
import json
import logging
import warnings
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from django.core.exceptions import DisallowedHost

from audit.ledger import SYSTEM, unit
from telehealth.accounts import selectors, services
from telehealth.accounts.access import Role
from telehealth.core.logs import KEYS, WITHHELD, formatter
from tests.conformance.source import modules
from tests.people import Browser, MakeAccount

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What the server's handler would write."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter())
    loggers = [logging.getLogger(name) for name in ("", "django")]
    for logger in loggers:
        logger.addHandler(handler)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)


def test_a_refused_password_does_not_log_the_invitation_that_still_stands(make_account: MakeAccount, lines: StringIO) -> None:
    make_account(Role.ADMINISTRATOR)
    with unit(SYSTEM, channel="command"):
        made = services.create_invitation(email="nan@clinic.example", role=Role.NURSE, name="Nan", by=SYSTEM)
        path = selectors.invitation_path(made.pk)

    refused = Browser().form(path, password="short", password_again="short")

    assert refused.status_code == 400
    assert selectors.token_of(made) not in lines.getvalue()
    assert "Bad Request: /invitation/<str:token>/" in lines.getvalue()


def test_an_address_that_leads_nowhere_is_not_repeated(lines: StringIO) -> None:
    assert Browser().get("/patients/Quill-Pia-1990-02-03").status_code == 404
    assert "Not Found" in lines.getvalue()
    assert "Quill" not in lines.getvalue()


CANARY = "Vera Canary, 617-555-0177"


def last(lines: StringIO) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lines.getvalue().splitlines()[-1])
    return found


def test_a_key_that_is_not_on_the_list_is_dropped_and_a_text_is_no_code(lines: StringIO) -> None:
    log = structlog.get_logger("telehealth.somewhere")
    with unit(SYSTEM, channel="task", cid="abc"):
        log.warning("something happened", note=CANARY, kind=CANARY, count=3, code="slot_taken", why={"name": CANARY})
    assert "Canary" not in lines.getvalue()
    line = last(lines)
    assert (line["message"], line["kind"], line["why"], line["count"], line["code"], line["cid"]) == (
        "something happened",
        "-",
        "-",
        3,
        "slot_taken",
        "abc",
    )
    assert set(line) <= KEYS | {"at", "level", "logger", "message", "exception"}


def test_the_standard_librarys_way_gives_no_more(lines: StringIO) -> None:
    logging.getLogger("telehealth.somewhere").error("%s of %d: %s", CANARY, 3, CANARY, extra={"kind": CANARY, "note": CANARY})
    assert "Canary" not in lines.getvalue()
    assert last(lines)["message"] == "- of 3: -"


def test_of_a_library_that_writes_as_it_likes_only_the_place_is_kept(lines: StringIO) -> None:
    logging.getLogger("somebodys.library").error(f"cannot read {CANARY}")
    with warnings.catch_warnings():
        logging.getLogger("asyncio").error(f"Task exception was never retrieved {CANARY}")
    assert "Canary" not in lines.getvalue()
    assert (last(lines)["message"], last(lines)["place"].partition(":")[0]) == (WITHHELD, "test_logs")


def test_what_django_says_of_a_forged_host_is_withheld(lines: StringIO) -> None:
    assert Browser(raise_request_exception=False).get("/", HTTP_HOST="canary-vera.example").status_code == 400
    assert "canary-vera" not in lines.getvalue()
    assert DisallowedHost.__name__ in lines.getvalue()


def test_a_chain_of_exceptions_is_told_without_a_word_of_it(lines: StringIO) -> None:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(CANARY) from error
    except ValueError:
        structlog.get_logger("audit.somewhere").exception("failed")
        logging.getLogger("django.somewhere").exception("failed")
    assert "Canary" not in lines.getvalue()
    for line in map(json.loads, lines.getvalue().splitlines()):
        assert [each.partition(" at ")[0] for each in line["exception"]] == ["ValueError", "KeyError"]


LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def test_our_own_code_says_constant_sentences_and_keys_of_the_list() -> None:
    said, wrong = 0, []
    for path, tree in modules().items():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            where = call.func
            if not (isinstance(where, ast.Attribute) and isinstance(where.value, ast.Name) and where.value.id in {"log", "logger"}):
                continue
            if where.attr in LEVELS:
                said += 1
                constant = len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and "%" not in str(call.args[0].value)
                if not constant or not {word.arg for word in call.keywords} <= KEYS | {"exc_info"}:
                    wrong.append(f"{path}:{call.lineno}")
    assert wrong == [], "say a constant sentence, and put what varies into keys of telehealth.core.logs.KEYS"
    assert said > 5
