"""Who the visit is about, in one line; and in which time zone its reader lives."""

import json
from datetime import UTC, date, tzinfo
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from audit.ledger import Actor
from telehealth.accounts.access import Action, Resource
from telehealth.core import now
from telehealth.portal.pages import Page
from telehealth.records import selectors
from telehealth.records.models import ClinicalResource

MOST_SHOWN = 6
NAMED_BY = ("code", "medicationCodeableConcept", "vaccineCode")


def zone_of(by: Actor) -> tzinfo:
    """`PORTAL_ZONE`: a practitioner's own; the clinic's for the others."""
    practitioner = selectors.practitioner_of(by.id)
    try:
        return ZoneInfo(practitioner.timezone if practitioner else settings.CLINIC_TIME_ZONE)
    except (KeyError, ValueError, OSError):
        return UTC


class PatientBanner(Page):
    """Name, birth date, number, allergies: read on every visit, so that nobody treats the wrong person."""

    access = (Action.READ, Resource.CLINICAL_RESOURCE)
    template = "records/banner.html"

    def get(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        patient = selectors.patient_for(self.by, patient_id)
        allergies = selectors.resources_for(self.by, patient_id, "AllergyIntolerance")
        named = ", ".join(label_of(each) for each in islice(allergies, MOST_SHOWN))
        chart = [(_("Allergies"), named or _("none recorded"))]
        emergency = selectors.standing_emergency(self.by, patient_id)
        return self.show(patient=patient, age=age_of(patient.birth_date, now().date()), chart=chart, emergency=emergency)


def age_of(birth_date: str | None, today: date) -> int | None:
    """Full years, when the birth date is known to the day."""
    try:
        born = date.fromisoformat(birth_date or "")
    except ValueError:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def label_of(resource: ClinicalResource) -> str:
    """What a resource is called: by its sender's words, else by its code."""
    body: dict[str, Any] = json.loads(resource.body)
    code: dict[str, Any] = next((body[name] for name in NAMED_BY if isinstance(body.get(name), dict)), {})
    coding: list[dict[str, str]] = code.get("coding") or [{}]
    return code.get("text") or coding[0].get("display") or resource.code
