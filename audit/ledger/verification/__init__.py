"""Verification: recompute every MAC, leaf, root and signature, and name the first entry that does not fit.

Trust comes from outside the database: the MAC key, the checkpoint key, and the checkpoints and tiles on disk (or
kept elsewhere). Whatever the owner of the database edits, deletes, inserts or reorders, something of these differs.
"""

from audit.ledger.verification.report import Damage, Report
from audit.ledger.verification.verifier import Untrusted, Verifier

__all__ = ["Damage", "Report", "Untrusted", "Verifier"]
