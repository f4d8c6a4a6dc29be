"""Log lines say which route was asked, never the address: it may hold a link's token or what somebody typed."""

import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from audit.ledger import SYSTEM, unit
from telehealth.accounts import selectors, services
from telehealth.accounts.access import Role
from telehealth.core.logs import Terse
from tests.people import Browser, MakeAccount

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """What the server's handler would write."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Terse())
    logger = logging.getLogger("django")
    logger.addHandler(handler)
    yield written
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
