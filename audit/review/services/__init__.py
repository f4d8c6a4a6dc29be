"""Every write of the review, by subject; looking at the log is one."""

from audit.review.services.looking import read_accesses, read_entries, read_entry

__all__ = ["read_accesses", "read_entries", "read_entry"]
