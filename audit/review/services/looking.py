"""Looking at the log is an act of its own."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit.ledger import Act, Actor, record
from audit.ledger.models import Entry
from audit.review import selectors
from telehealth.core.errors import Missing


@transaction.atomic
def read_accesses(*, patient_id: UUID, by: Actor) -> QuerySet[Entry]:
    """Who opened this record, when and why. That somebody asked is on record too."""
    found = selectors.accesses_to(by, patient_id)
    record(by, Act.LEDGER_READ, record_id=patient_id)
    return found


def read_entries(
    *, wanted: selectors.Wanted, by: Actor, before: UUID | None = None, after: UUID | None = None, view: str = "list"
) -> selectors.Page:
    """A page of the log. On record first, also when nothing is found or the search is given up: what was asked by, whose
    record, and which account; of the other filters the names alone. Raises LookTooWide."""
    with transaction.atomic():
        detail = {"actor": str(wanted.actor or ""), "filters": wanted.given(), "view": view}
        record(by, Act.LEDGER_READ, record_id=wanted.patient, detail=detail)
    return selectors.entries(by, wanted, before=before, after=after)


def read_entry(*, pk: UUID, by: Actor) -> Entry:
    """One entry, on record as a look at the record that it is about; Missing, on record too, when it is not there."""
    found = selectors.entry(by, pk)
    with transaction.atomic():
        record(by, Act.LEDGER_READ, found, detail={"view": "entry"})
    if found is None:
        raise Missing
    return found
