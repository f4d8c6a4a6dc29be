"""Reads, narrowed to what the actor may see, by subject."""

from audit.review.selectors.entries import accesses_to, named

__all__ = ["accesses_to", "named"]
