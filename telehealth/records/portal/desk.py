"""The front desk: find a patient, invite them, and what other apps put beside it."""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from telehealth.accounts.access import Action, Resource
from telehealth.accounts.access_fields import fields
from telehealth.core.errors import DomainError
from telehealth.portal.errors import sentence_of, status_of
from telehealth.portal.pages import Page, ShellPage
from telehealth.records import selectors, services
from telehealth.records.errors import IdentityUnchecked
from telehealth.records.portal.words import WORDS


class SearchForm(forms.Form):
    """All that is given must fit. It is posted: an address ends up in logs and histories."""

    name = forms.CharField(
        label=_("Name"), max_length=100, required=False, help_text=_("The beginnings of given or family name are enough.")
    )
    birth_date = forms.DateField(label=_("Born"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    mrn = forms.CharField(label=_("Record number"), max_length=200, required=False)


class Desk(Page):
    """The search and what it found."""

    access = (Action.SEARCH, Resource.PATIENT)
    template = "records/desk.html"
    words = WORDS

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(form=SearchForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SearchForm(request.POST)
        if not form.is_valid():
            return self.show(form=form, status=400)
        asked = {name: str(value) for name, value in form.cleaned_data.items() if value}
        try:
            found = services.search_patients(by=self.by, **asked)
        except DomainError as error:
            form.add_error(None, str(sentence_of(error, self.words)))
            return self.show(form=form, status=status_of(error))
        return self.show(form=form, found=found, searched=True, fields=fields(self.by.role, Resource.PATIENT))


class DeskPatient(ShellPage):
    """One patient as the front desk sees them: contact data and acts, never the chart."""

    access = (Action.CREATE, Resource.INVITATION)
    shell = "desk"
    template = "records/desk_patient.html"
    words = WORDS

    def get(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        patient = selectors.patient_for(self.by, patient_id)
        return self.show(patient=patient, slots=self.slots(patient_id=patient.pk))


CHECKS = [
    ("birth_date", _("Birth date")),
    ("record_number", _("Record number")),
    ("address", _("Address")),
    ("insurance_number", _("Insurance number")),
    ("government_id", _("Government identity document")),
]


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    relationship = forms.ChoiceField(label=_("Who is invited"), choices=[("self", _("the patient")), ("guardian", _("a guardian"))])
    checked = forms.MultipleChoiceField(
        label=_("Identifiers that were compared with the record"),
        choices=CHECKS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Only for a patient who has an account and lost the way in: two of them, and a call back."),
    )
    called_back = forms.BooleanField(label=_("I called back the number on record and spoke with the patient"), required=False)


class Invite(Page):
    """An invitation by e-mail; for somebody who has an account it is the way back in."""

    access = (Action.CREATE, Resource.INVITATION)
    template = "records/invite.html"
    words = WORDS

    def get(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        return self.asked(patient_id, InviteForm())

    def post(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        form = InviteForm(request.POST)
        if not form.is_valid():
            return self.asked(patient_id, form)
        try:
            services.invite(patient_id=patient_id, by=self.by, **form.cleaned_data)
        except IdentityUnchecked as error:
            form.add_error(None, str(sentence_of(error, self.words)))
            return self.show(form=form, patient_id=patient_id)
        return self.show(form=InviteForm(), patient_id=patient_id, invited=True)

    def asked(self, patient_id: UUID, form: InviteForm) -> HttpResponse:
        """The form, for a patient who is there."""
        return self.show(form=form, patient_id=selectors.patient_shown(self.by, patient_id).pk)
