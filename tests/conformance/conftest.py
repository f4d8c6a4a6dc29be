"""One clinic for all cells of a module: each question is undone after its answer."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from audit.ledger import SYSTEM, unit
from tests.conformance.cells.building import build
from tests.conformance.cells.clinic import Clinic


@pytest.fixture(scope="module")
def clinic(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Clinic]:
    with django_db_blocker.unblock(), transaction.atomic(), unit(SYSTEM, channel="task", reason="test"):
        yield build()
        transaction.set_rollback(True)
