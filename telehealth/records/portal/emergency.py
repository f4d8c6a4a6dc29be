"""Emergency access in the portal: find one patient, say why, see the record under a banner that says so."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from telehealth.accounts import sessions
from telehealth.accounts.access import Action, Resource
from telehealth.core.errors import DomainError, Missing
from telehealth.portal.errors import sentence_of, status_of
from telehealth.portal.pages import Page
from telehealth.records import selectors, services
from telehealth.records.models import ClinicalResource, EmergencyReason
from telehealth.records.portal.banner import label_of, notice_for
from telehealth.records.portal.words import WORDS

MOST_OF_A_KIND = 20
KINDS = {  # what is asked for first in an emergency
    "AllergyIntolerance": _("Allergies"),
    "Condition": _("Conditions"),
    "MedicationRequest": _("Medications"),
    "Procedure": _("Procedures"),
    "Immunization": _("Immunizations"),
}


class LocateForm(forms.Form):
    """The record number; or the whole name and the birth date."""

    mrn = forms.CharField(label=_("Record number"), max_length=200, required=False)
    family = forms.CharField(label=_("Family name"), max_length=100, required=False)
    given = forms.CharField(label=_("Given names"), max_length=100, required=False)
    birth_date = forms.DateField(label=_("Born"), required=False, widget=forms.DateInput(attrs={"type": "date"}))


class DeclareForm(forms.Form):
    """Why, as a code and in words."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[
            (EmergencyReason.UNRESPONSIVE, _("The patient cannot speak for themselves")),
            (EmergencyReason.LIFE_THREATENING, _("Life is in danger")),
            (EmergencyReason.CARE_TEAM_ABSENT, _("Nobody who cares for the patient can be reached in time")),
            (EmergencyReason.PUBLIC_SAFETY, _("A serious and imminent threat to somebody")),
        ],
    )
    text = forms.CharField(label=_("What happened"), min_length=10, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class Locate(Page):
    """Two exact facts lead to one person at most, by initials."""

    access = (Action.CREATE, Resource.EMERGENCY_ACCESS)
    template = "records/emergency.html"
    words = WORDS

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(form=LocateForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = LocateForm(request.POST)
        if not form.is_valid():
            return self.show(form=form, status=400)
        asked = {name: str(value) for name, value in form.cleaned_data.items() if value}
        try:
            found = services.locate(by=self.by, **asked)
        except DomainError as error:
            form.add_error(None, str(sentence_of(error, self.words)))
            return self.show(form=form, status=status_of(error))
        return self.show(form=form, found=found, searched=True)


class Declare(Page):
    """The reason, with a fresh factor. Whoever has none is asked for it first, and comes back."""

    access = (Action.CREATE, Resource.EMERGENCY_ACCESS)
    template = "records/emergency_declare.html"
    words = WORDS

    def get(self, request: HttpRequest, patient_id: UUID) -> HttpResponseBase:
        return sessions.step_up(request, self.by) or self.show(form=DeclareForm(), patient_id=patient_id)

    def post(self, request: HttpRequest, patient_id: UUID) -> HttpResponseBase:
        form = DeclareForm(request.POST)
        if not form.is_valid():
            return self.show(form=form, patient_id=patient_id, status=400)
        try:
            made = services.begin_emergency(patient_id=patient_id, by=self.by, **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(sentence_of(error, self.words)))
            return self.show(form=form, patient_id=patient_id, stale=True, status=status_of(error))
        sessions.declare_emergency(request, made.patient_id, made.ends_at)
        return self.go("emergency-record", patient_id=patient_id)


class Record(Page):
    """What is needed first, under a banner that says how long and that it will be reviewed."""

    access = (Action.READ, Resource.CLINICAL_RESOURCE)
    template = "records/emergency_record.html"
    words = WORDS

    def get(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        if selectors.standing_emergency(self.by, patient_id) is None:
            raise Missing()
        held = {kind: list(selectors.resources_for(self.by, patient_id, kind).order_by("-id")[:MOST_OF_A_KIND]) for kind in KINDS}
        kinds = [(title, [_line(row) for row in held[kind]]) for kind, title in KINDS.items()]
        return self.show(patient_id=patient_id, kinds=kinds, notice=notice_for(patient_id, *held.values()))


def _line(row: ClinicalResource) -> dict[str, Any]:
    return {"label": label_of(row), "status": row.status, "date": row.date}


class End(Page):
    """Over before its hour is."""

    access = {"post": (Action.ACT, Resource.EMERGENCY_ACCESS)}
    words = WORDS

    def post(self, request: HttpRequest, emergency_id: UUID) -> HttpResponseBase:
        services.end_emergency(emergency_id=emergency_id, by=self.by)
        return self.go("emergency")
