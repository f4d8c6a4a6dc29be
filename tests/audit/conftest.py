"""A sealer of the test's own, over checkpoints of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as profiles
from pytest_django import Settings

from audit.ledger import SYSTEM, Act, record, unit
from audit.ledger.models import Entry
from audit.ledger.sealing import Sealer

# Where many tests share a machine, being slow is no finding.
profiles.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
profiles.load_profile("shared")

Write = Callable[[int], list[UUID]]


@pytest.fixture
def sealer(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[Sealer]:
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints"
    made = Sealer()
    seal_all(made)
    yield made


def seal_all(sealer: Sealer) -> None:
    while sealer.seal().more:
        pass


@pytest.fixture
def written(transactional_db: None) -> Write:
    """Write so many entries, each in a unit of its own; their ids."""

    def write(count: int) -> list[UUID]:
        newest = Entry.objects.values_list("id", flat=True).first()
        for _ in range(count):
            with unit(SYSTEM, channel="task"):
                record(SYSTEM, Act.OBJECT_ACCESSED, reason="test")
        found = Entry.objects.order_by("id").values_list("id", flat=True)
        return list(found.filter(id__gt=newest) if newest else found)

    return write
