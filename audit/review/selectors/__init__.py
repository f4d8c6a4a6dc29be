"""Reads, narrowed to what the actor may see, by subject."""

from audit.review.selectors.entries import accesses_to, kinds_opened, named
from audit.review.selectors.ledger import Page, Wanted, entries, entry, place_of

__all__ = ["Page", "Wanted", "accesses_to", "entries", "entry", "kinds_opened", "named", "place_of"]
