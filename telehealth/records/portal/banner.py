"""Who the visit is about, in one line; and in which time zone its reader lives."""

import json
from collections.abc import Iterable
from datetime import UTC, date, tzinfo
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
from telehealth.records import labels, selectors
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
        allergies = list(selectors.resources_for(self.by, patient_id, "AllergyIntolerance")[:MOST_SHOWN])
        patient = selectors.patient_for(self.by, patient_id)
        named = ", ".join(map(label_of, allergies))
        chart = [(_("Allergies"), named or _("none recorded"))]
        emergency = selectors.standing_emergency(self.by, patient_id)
        age, notice = age_of(patient.birth_date, now().date()), notice_for(patient_id, allergies)
        return self.show(patient=patient, age=age, chart=chart, emergency=emergency, notice=notice)


def age_of(birth_date: str | None, today: date) -> int | None:
    """Full years, when the birth date is known to the day."""
    try:
        born = date.fromisoformat(birth_date or "")
    except ValueError:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def notice_for(patient_id: UUID, *shown: Iterable[ClinicalResource]) -> str:
    """What must stand beside what is shown of sensitive categories, else nothing."""
    held = {label for rows in shown for row in rows for label in row.labels}
    return labels.notice(labels.categories_of(patient_id, held))


def label_of(resource: ClinicalResource) -> str:
    """What a resource is called: by its sender's words, else by its code."""
    body: dict[str, Any] = json.loads(resource.body)
    code: dict[str, Any] = next((body[name] for name in NAMED_BY if isinstance(body.get(name), dict)), {})
    coding: list[dict[str, str]] = code.get("coding") or [{}]
    return code.get("text") or coding[0].get("display") or resource.code
