"""Which disclosures an accounting lists, and how far back it reaches (45 CFR 164.528(a)). Pure."""

from datetime import datetime

from dateutil.relativedelta import relativedelta

from audit.review.models.disclosures import Basis

EXCLUDED: dict[str, str] = {
    Basis.TREATMENT: "164.528(a)(1)(i)",
    Basis.PAYMENT: "164.528(a)(1)(i)",
    Basis.OPERATIONS: "164.528(a)(1)(i)",
    Basis.INDIVIDUAL: "164.528(a)(1)(ii)",
    Basis.INCIDENTAL: "164.528(a)(1)(iii)",
    Basis.AUTHORIZATION: "164.528(a)(1)(iv)",
    Basis.DIRECTORY: "164.528(a)(1)(v)",
    Basis.INVOLVED_IN_CARE: "164.528(a)(1)(v)",
    Basis.NATIONAL_SECURITY: "164.528(a)(1)(vi)",
    Basis.CUSTODY: "164.528(a)(1)(vii)",
    Basis.LIMITED_DATA_SET: "164.528(a)(1)(viii)",
}
"""Basis → the subparagraph that leaves it out. Every other basis is listed, and so is one that nobody knows."""

LOOK_BACK = relativedelta(years=6)


def is_listed(basis: str) -> bool:
    """Whether an accounting must list a disclosure on this basis."""
    return basis not in EXCLUDED


def earliest(asked_at: datetime) -> datetime:
    """How far back a person may ask: six years before the request."""
    return asked_at - LOOK_BACK
