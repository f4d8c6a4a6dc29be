"""One clinic for all cells of a module: each question is undone after its answer."""

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from audit.ledger import SYSTEM, unit
from tests.conformance.cells import clinic as cells


@pytest.fixture(scope="module")
def clinic(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[cells.Clinic]:
    with django_db_blocker.unblock(), transaction.atomic(), unit(SYSTEM, channel="task", reason="test"):
        yield cells.build()
        transaction.set_rollback(True)
