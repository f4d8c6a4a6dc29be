"""A sealer and a clinic that never closes, so that a look gives only the cause that the test is about."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from audit.ledger import SYSTEM, Actor, unit
from audit.ledger.models import Entry, Leaf
from audit.ledger.sealing import Sealer
from audit.review.detectors import READERS
from audit.review.models import REVIEW, Finding, Watermark
from audit.review.tasks import review
from telehealth.records.models import Patient
from tests.audit.conftest import seal_all
from tests.cast import Cast

Causes = set[tuple[str, str, str]]
Look = Callable[..., None]


class Clinic:
    """Looks at records happen, the log is sealed, the detectors run as the scheduled task does."""

    def __init__(self, cast: Cast, sealer: Sealer) -> None:
        self.cast = cast
        self.sealer = sealer

    def look(self, by: Actor, patient: Patient, *, purpose: str = "TREAT") -> None:
        """`by` opens the record in a request of its own."""
        with unit(by, channel="REST", purpose=purpose):
            assert Patient.objects.get(pk=patient.pk).family

    def review(self) -> Causes:
        """Seal and detect; everything found so far."""
        self.seal()
        review()
        return self.causes()

    def seal(self) -> None:
        """What the sealer does before the task runs."""
        seal_all(self.sealer)

    def causes(self) -> Causes:
        """(detector, who, whose) of all findings."""
        names = {actor.id: name for name, actor in self.cast}
        records = {self.cast.pia_record.pk: "pia", self.cast.ned_record.pk: "ned", REVIEW: "-"}
        return {
            (each.detector, names.get(each.actor_id, str(each.actor_id)), records.get(each.record, "another"))
            for each in Finding.objects.all()
        }

    def opened_by_the_system(self) -> int:
        return Entry.objects.filter(act="record.opened", actor_id=None).count()


@pytest.fixture
def clinic(transactional_db: None, cast: Cast, tmp_path: Path, settings: Settings) -> Iterator[Clinic]:
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints"
    settings.CLINIC_OPENS = settings.CLINIC_CLOSES = "00:00"
    settings.CLINIC_DAYS = set(range(7))
    settings.REVIEW_SETTLES_MINUTES = 0
    sealer = Sealer()
    seal_all(sealer)
    for reader in READERS:  # what earlier tests left in the log is none of this one's business
        Watermark.objects.create(name=reader, leaf=Leaf.objects.count())
    with unit(SYSTEM, channel="task"):
        yield Clinic(cast, sealer)
