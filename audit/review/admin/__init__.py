"""The privacy officer's pages in Django's admin, by subject."""

from audit.review.admin.disclosures import DisclosureAdmin
from audit.review.admin.entries import EntryAdmin
from audit.review.admin.findings import FindingAdmin
from audit.review.admin.incidents import IncidentAdmin

__all__ = ["DisclosureAdmin", "EntryAdmin", "FindingAdmin", "IncidentAdmin"]
