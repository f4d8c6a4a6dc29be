"""The privacy officer's pages in Django's admin, by subject."""

from audit.review.admin.entries import EntryAdmin

__all__ = ["EntryAdmin"]
