"""What the tables of the review refuse, whatever path writes."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.ledger import SYSTEM, unit
from audit.review.models import Finding
from telehealth.core import now
from telehealth.records.models import StaffRecord
from tests.cast import Cast, id_of
from tests.conformance.samples import sample

pytestmark = pytest.mark.django_db
OPEN = {"state": "open", "verdict": "", "closed_by": None, "closed_at": None, "note": None}


def test_a_cause_is_found_once() -> None:
    with unit(SYSTEM, channel="task"):
        sample(Finding, once=b"o" * 32)
        with pytest.raises(IntegrityError, match="finding_once_per_detector_actor_record_and_day"), transaction.atomic():
            sample(Finding, once=b"o" * 32)


@pytest.mark.parametrize(
    "values",
    [{"verdict": ""}, {"verdict": "whatever"}, {"closed_by": None}, {"closed_at": None}, {**OPEN, "verdict": "noise"}, {"state": "open"}],
)
def test_closed_is_closed_by_somebody_with_a_verdict_and_open_is_neither(values: dict[str, Any]) -> None:
    with unit(SYSTEM, channel="task"):
        sample(Finding, **OPEN)
        sample(Finding, note=None)  # a note goes with the record's key
        with pytest.raises(IntegrityError, match="finding_closed_by_somebody_with_a_verdict"), transaction.atomic():
            sample(Finding, **values)


def test_one_of_the_staff_is_linked_to_a_record_once_at_a_time(cast: Cast) -> None:
    account = str(id_of(cast.nan))
    first = StaffRecord.objects.create(patient=cast.pia_record, account=account)
    with pytest.raises(IntegrityError, match="staff_record_once_at_a_time"), transaction.atomic():
        StaffRecord.objects.create(patient=cast.pia_record, account=account)
    first.ended_at = now()
    first.save(update_fields=["ended_at"])
    StaffRecord.objects.create(patient=cast.pia_record, account=account)
