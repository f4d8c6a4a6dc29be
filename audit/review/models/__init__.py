"""The review's tables."""

from audit.review.models.disclosures import Basis, Disclosure
from audit.review.models.findings import REVIEW, Detector, Finding, State, Verdict, Watermark
from audit.review.models.incidents import Affected, Conclusion, Incident, Notice, Subject

__all__ = [
    "REVIEW",
    "Affected",
    "Basis",
    "Conclusion",
    "Detector",
    "Disclosure",
    "Finding",
    "Incident",
    "Notice",
    "State",
    "Subject",
    "Verdict",
    "Watermark",
]
