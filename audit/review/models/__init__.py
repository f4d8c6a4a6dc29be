from audit.review.models.findings import REVIEW, Finding, State, Verdict, Watermark

__all__ = ["REVIEW", "Finding", "State", "Verdict", "Watermark"]
