"""On the desk's page of a patient: that they work here too, under which account."""

from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from telehealth.accounts.access import Action, Resource
from telehealth.accounts.selectors import staff
from telehealth.portal.pages import Page
from telehealth.records import selectors, services
from telehealth.records.portal.words import WORDS


def _accounts() -> list[tuple[str, str]]:
    return [("", "–"), *((str(each.pk), each.name or str(each.pk)) for each in staff())]


class StaffForm(forms.Form):
    account = forms.ChoiceField(label=_("Works here as"), choices=_accounts, required=False)
    ended = forms.UUIDField(required=False, widget=forms.HiddenInput)


class StaffLinks(Page):
    """Which of the staff is this patient; linked by choosing an account, ended by its button."""

    access = {"get": (Action.SEARCH, Resource.STAFF_RECORD), "post": (Action.CREATE, Resource.STAFF_RECORD)}
    template = "records/staff_links.html"
    words = WORDS

    def get(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        return self.page(patient_id, StaffForm())

    def post(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        form = StaffForm(request.POST)
        if not form.is_valid():
            return self.page(patient_id, form)
        if account := form.cleaned_data["account"]:
            services.link_staff(patient_id=patient_id, account_id=UUID(account), by=self.by)
        if ended := form.cleaned_data["ended"]:
            services.unlink_staff(staff_record_id=ended, by=self.by)
        return self.page(patient_id, StaffForm())

    def page(self, patient_id: UUID, form: StaffForm) -> HttpResponse:
        links = [each for each in selectors.staff_records_of(self.by, patient_id) if each.ended_at is None]
        names = dict(_accounts())
        linked = [(each.pk, names.get(account, account)) for each in links for account in [each.account]]
        return self.show(form=form, patient_id=patient_id, linked=linked)
