"""Reads, narrowed to what the actor may see, by subject."""

from audit.review.selectors.disclosures import accounting_owed, disclosure_for, disclosures_of, keyed, readable
from audit.review.selectors.entries import accesses_to, kinds_opened, named
from audit.review.selectors.findings import finding_for, findings_for, late
from audit.review.selectors.incidents import affected_by, duties_of, entries_of, incidents_for, people_of, touched_by, types_of
from audit.review.selectors.ledger import Page, Wanted, entries, entry, place_of
from audit.review.selectors.proofs import chain_status, consistency_proof, entry_proof, proved_accesses

__all__ = [
    "Page",
    "Wanted",
    "accesses_to",
    "accounting_owed",
    "affected_by",
    "chain_status",
    "consistency_proof",
    "disclosure_for",
    "disclosures_of",
    "duties_of",
    "entries",
    "entries_of",
    "entry",
    "entry_proof",
    "finding_for",
    "findings_for",
    "incidents_for",
    "keyed",
    "kinds_opened",
    "late",
    "named",
    "people_of",
    "place_of",
    "proved_accesses",
    "readable",
    "touched_by",
    "types_of",
]
