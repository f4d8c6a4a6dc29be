"""`/dev/patient/`: what a patient's app does, on a page, so that a demonstration plays both sides of a visit."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

import scheduling.selectors
from consults import selectors, services
from consults.portal.words import WORDS
from consults.rules import PATIENT_SIDE
from consults.states import Waiting
from telehealth.accounts.access import Action, Resource
from telehealth.portal.pages import ShellPage
from telehealth.records.selectors import patients_for

BEFORE_CHECK_IN = {Waiting.EXPECTED, Waiting.CHECKING_IN, Waiting.ABANDONED}


class CheckInForm(forms.Form):
    """Who, where now, how to call back, who else is there, and the consent: asked at every visit."""

    line = forms.CharField(label=_("Street and number where you are now"), max_length=200)
    city = forms.CharField(label=_("City"), max_length=100)
    state = forms.CharField(label=_("State"), max_length=2, min_length=2, widget=forms.TextInput(attrs={"autocapitalize": "characters"}))
    postal_code = forms.CharField(label=_("ZIP code"), max_length=10)
    callback = forms.CharField(label=_("Number to call if we lose you"), max_length=30, widget=forms.TextInput(attrs={"type": "tel"}))
    others_present = forms.CharField(label=_("Who else is in the room?"), max_length=200, required=False)
    confirmed = forms.BooleanField(label=_("I am the patient named above, or act for them."))
    consent = forms.BooleanField(label=_("I agree to be seen by video."))


class Phone(ShellPage, abstract=True):
    """For the patient's side, in a demonstration only; for everybody else there is nothing here."""

    shell = "phone"
    words = WORDS

    def only_here(self) -> None:
        """404 outside a demonstration, and for whoever is nobody's patient or proxy."""
        if not settings.DEMO or self.by.role not in PATIENT_SIDE:
            raise Http404


class PhoneHome(Phone):
    """Appointments, and booking another."""

    access = (Action.SEARCH, Resource.APPOINTMENT)
    template = "consults/phone.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        self.only_here()
        records = [{"patient": patient, "slots": self.slots(patient_id=patient.pk)} for patient in patients_for(self.by)]
        return self.show(appointments=selectors.upcoming_for(self.by), records=records)


class PhoneVisit(Phone):
    """Check in for one appointment, then wait and talk."""

    access = {"get": (Action.READ, Resource.APPOINTMENT), "post": (Action.ACT, Resource.VISIT)}
    template = "consults/phone_visit.html"

    def get(self, request: HttpRequest, appointment_id: UUID) -> HttpResponse:
        self.only_here()
        return self.page(appointment_id, CheckInForm())

    def post(self, request: HttpRequest, appointment_id: UUID) -> HttpResponseBase:
        self.only_here()
        form = CheckInForm(request.POST)
        if not form.is_valid():
            return self.page(appointment_id, form, status=400)
        visit = services.open_visit(appointment_id=appointment_id, by=self.by)
        services.check_in(visit_id=visit.pk, by=self.by, **_answers(form.cleaned_data))
        return self.go("phone-visit", appointment_id=appointment_id)

    def page(self, appointment_id: UUID, form: CheckInForm, status: int = 200) -> HttpResponse:
        appointment = scheduling.selectors.appointment_for(self.by, appointment_id)
        visit = getattr(appointment, "visit", None)
        if visit is None or visit.waiting in BEFORE_CHECK_IN:
            return self.show(appointment=appointment, form=form, status=status)
        return self.show(appointment=appointment, visit=visit)


def _answers(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "identity": {"method": "known-patient", "confirmed": given["confirmed"]},
        "location": {part: given[part] for part in ("line", "city", "state", "postal_code")},
        "callback": given["callback"],
        "others_present": given["others_present"],
        "consents": [{"code": code, "version": version} for code, version in settings.VISIT_CONSENTS.items()],
    }
