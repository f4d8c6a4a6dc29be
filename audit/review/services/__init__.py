"""Every write of the review, by subject; looking at the log is one."""

from audit.review.services.detecting import detect
from audit.review.services.looking import read_accesses, read_entries, read_entry
from audit.review.services.proofs import download_accesses, prove_consistency, prove_entry, read_status
from audit.review.services.reviewing import close_finding, escalate, read_finding, read_findings

__all__ = [
    "close_finding",
    "detect",
    "download_accesses",
    "escalate",
    "prove_consistency",
    "prove_entry",
    "read_accesses",
    "read_entries",
    "read_entry",
    "read_finding",
    "read_findings",
    "read_status",
]
