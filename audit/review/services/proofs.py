"""Taking proofs out of the log: each is an act of its own, and what holds entries needs a fresh factor."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from audit.review import selectors
from audit.review.services.disclosing import hand_over
from telehealth.accounts.factors import require_export, require_fresh
from telehealth.core.errors import Missing


@transaction.atomic
def download_accesses(*, patient_id: UUID, by: Actor) -> Iterator[bytes]:
    """Who opened this record, with a proof for each entry, as lines of a document to keep."""
    found = selectors.proved_accesses(by, patient_id)
    require_export(by)
    hand_over(patient_id=patient_id, what="Who opened the record, with proofs", by=by)
    record(by, Act.LEDGER_READ, record_id=patient_id, detail={"document": "accesses"})
    return found


@transaction.atomic
def prove_entry(*, entry_id: UUID, by: Actor) -> dict[str, Any]:
    """That one entry is in the log."""
    require_fresh(by)
    try:
        found = selectors.entry_proof(entry_id)
    except Missing:
        refuse(by, "not_proved", kind="audit.Entry", pk=entry_id)
        raise
    about = found["entry"]["record_id"]  # of the entry as it is proved: it may be in an archive
    for patient_id in selectors.keyed([UUID(about)] if about else []):
        hand_over(patient_id=patient_id, what="Proof of an entry of the audit log", by=by)
    record(by, Act.LEDGER_READ, detail={"document": "entry", "entry": str(entry_id)})
    return found


@transaction.atomic
def prove_consistency(*, first: int, second: int | None, by: Actor) -> dict[str, Any]:
    """That the log of one checkpoint continues that of another."""
    record(by, Act.LEDGER_READ, detail={"document": "consistency"})
    return selectors.consistency_proof(first, second)


@transaction.atomic
def read_status(*, by: Actor) -> dict[str, Any]:
    """How the log is doing."""
    record(by, Act.LEDGER_READ, detail={"document": "status"})
    return selectors.chain_status()
