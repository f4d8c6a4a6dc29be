"""Every write of the review, by subject; looking at the log is one."""

from audit.review.services.detecting import detect
from audit.review.services.disclosing import (
    Accounting,
    Leaving,
    Recipient,
    account_for,
    disclose,
    disclose_all,
    hand_over,
    read_disclosure,
    write_down,
)
from audit.review.services.exporting import Export, Purpose, export_accounting, export_entries, export_incident
from audit.review.services.incidents import assess_incident, note_notice, open_incident, read_affected, remind_of_incidents, survey_incident
from audit.review.services.looking import read_accesses, read_entries, read_entry
from audit.review.services.proofs import download_accesses, prove_consistency, prove_entry, read_status
from audit.review.services.reviewing import close_finding, escalate, read_finding, read_findings

__all__ = [
    "Accounting",
    "Export",
    "Leaving",
    "Purpose",
    "Recipient",
    "account_for",
    "assess_incident",
    "close_finding",
    "detect",
    "disclose",
    "disclose_all",
    "download_accesses",
    "escalate",
    "export_accounting",
    "export_entries",
    "export_incident",
    "hand_over",
    "note_notice",
    "open_incident",
    "prove_consistency",
    "prove_entry",
    "read_accesses",
    "read_affected",
    "read_disclosure",
    "read_entries",
    "read_entry",
    "read_finding",
    "read_findings",
    "read_status",
    "remind_of_incidents",
    "survey_incident",
    "write_down",
]
