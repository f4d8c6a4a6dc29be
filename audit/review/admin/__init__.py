"""The privacy officer's pages in Django's admin, by subject."""

from audit.review.admin.entries import EntryAdmin
from audit.review.admin.findings import FindingAdmin

__all__ = ["EntryAdmin", "FindingAdmin"]
