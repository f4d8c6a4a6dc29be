"""Reads, narrowed to what the actor may see, by subject."""

from audit.review.selectors.disclosures import accounting_owed, disclosure_for, disclosures_of, keyed, readable
from audit.review.selectors.entries import accesses_to, kinds_opened, named
from audit.review.selectors.findings import finding_for, findings_for, late
from audit.review.selectors.incidents import affected_by, duties_of, incidents_for, people_of, sought_by, touched_by, types_of
from audit.review.selectors.ledger import Page, Wanted, entries, entry, place_of
from audit.review.selectors.proofs import chain_status, consistency_proof, entry_proof, proved_accesses
from audit.review.selectors.whole import Sought, at_hand, pages

__all__ = [
    "Page",
    "Sought",
    "Wanted",
    "accesses_to",
    "accounting_owed",
    "affected_by",
    "at_hand",
    "chain_status",
    "consistency_proof",
    "disclosure_for",
    "disclosures_of",
    "duties_of",
    "entries",
    "entry",
    "entry_proof",
    "finding_for",
    "findings_for",
    "incidents_for",
    "keyed",
    "kinds_opened",
    "late",
    "named",
    "pages",
    "people_of",
    "place_of",
    "proved_accesses",
    "readable",
    "sought_by",
    "touched_by",
    "types_of",
]
