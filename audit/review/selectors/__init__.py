"""Reads, narrowed to what the actor may see, by subject."""

from audit.review.selectors.entries import accesses_to, kinds_opened, named
from audit.review.selectors.findings import finding_for, findings_for, late
from audit.review.selectors.ledger import Page, Wanted, entries, entry, place_of
from audit.review.selectors.proofs import consistency_proof, entry_proof, proved_accesses

__all__ = [
    "Page",
    "Wanted",
    "accesses_to",
    "consistency_proof",
    "entries",
    "entry",
    "entry_proof",
    "finding_for",
    "findings_for",
    "kinds_opened",
    "late",
    "named",
    "place_of",
    "proved_accesses",
]
