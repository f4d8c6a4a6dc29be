"""Looking at the log is an act of its own."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit.ledger import Act, Actor, record
from audit.ledger.models import Entry
from audit.review import selectors


@transaction.atomic
def read_accesses(*, patient_id: UUID, by: Actor) -> QuerySet[Entry]:
    """Who opened this record, when and why. That somebody asked is on record too."""
    found = selectors.accesses_to(by, patient_id)
    record(by, Act.LEDGER_READ, record_id=patient_id)
    return found


@transaction.atomic
def read_entries(*, filters: Iterable[str], by: Actor) -> None:
    """A privacy officer looks at the list; the names of the filters are kept, not what they were set to."""
    record(by, Act.LEDGER_READ, detail={"filters": sorted(filters)})


@transaction.atomic
def read_entry(*, entry: Entry | None, by: Actor) -> None:
    """A privacy officer looks at one entry, or for one that is not there."""
    record(by, Act.LEDGER_READ, entry)
