"""Every write of the review, by subject; looking at the log is one."""

from audit.review.services.looking import read_accesses, read_entries, read_entry
from audit.review.services.proofs import download_accesses, prove_consistency, prove_entry, read_status

__all__ = [
    "download_accesses",
    "prove_consistency",
    "prove_entry",
    "read_accesses",
    "read_entries",
    "read_entry",
    "read_status",
]
