"""By what right something is disclosed, which disclosures an accounting lists and how far back it reaches (45 CFR 164.528(a)). Pure."""

from datetime import datetime

from dateutil.relativedelta import relativedelta
from django.db import models
from django.utils.translation import gettext_lazy as _


class Basis(models.TextChoices):
    """By what right something was disclosed: the paragraph of 45 CFR Part 164."""

    TREATMENT = "treatment", _("Treatment, 164.506(c)")
    PAYMENT = "payment", _("Payment, 164.506(c)")
    OPERATIONS = "operations", _("Health care operations, 164.506(c)")
    INDIVIDUAL = "individual", _("To the individual or their representative, 164.502(a)(1)(i)")
    INCIDENTAL = "incidental", _("Incident to a permitted use, 164.502(a)(1)(iii)")
    AUTHORIZATION = "authorization", _("Signed authorization, 164.508")
    DIRECTORY = "directory", _("Facility directory, 164.510(a)")
    INVOLVED_IN_CARE = "involved_in_care", _("Persons involved in the care, notification, 164.510(b)")
    NATIONAL_SECURITY = "national_security", _("National security and intelligence, 164.512(k)(2)")
    CUSTODY = "custody", _("Correctional institution or custody, 164.512(k)(5)")
    LIMITED_DATA_SET = "limited_data_set", _("Limited data set, 164.514(e)")
    REQUIRED_BY_LAW = "required_by_law", _("Required by law, 164.512(a)")
    PUBLIC_HEALTH = "public_health", _("Public health, 164.512(b)")
    ABUSE = "abuse", _("Victims of abuse, neglect or violence, 164.512(c)")
    OVERSIGHT = "oversight", _("Health oversight, 164.512(d)")
    JUDICIAL = "judicial", _("Judicial and administrative proceedings, 164.512(e)")
    LAW_ENFORCEMENT = "law_enforcement", _("Law enforcement, 164.512(f)")
    DECEDENTS = "decedents", _("Coroners and funeral directors, 164.512(g)")
    DONATION = "donation", _("Organ and tissue donation, 164.512(h)")
    RESEARCH = "research", _("Research without authorization, 164.512(i)")
    THREAT = "threat", _("Serious and imminent threat, 164.512(j)")
    GOVERNMENT = "government", _("Other government functions, 164.512(k)")
    WORKERS_COMPENSATION = "workers_compensation", _("Workers' compensation, 164.512(l)")
    SECRETARY = "secretary", _("Secretary of Health and Human Services, 164.502(a)(2)(ii)")
    NOT_PERMITTED = "not_permitted", _("Not permitted: an incident or a mistake")


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
