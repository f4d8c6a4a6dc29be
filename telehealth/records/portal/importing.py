"""A nurse imports a patient's record from a file."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from telehealth.accounts.access import Action, Resource
from telehealth.core.errors import DomainError
from telehealth.portal.errors import sentence_of, status_of
from telehealth.portal.pages import Page
from telehealth.records import services
from telehealth.records.importing.report import Report
from telehealth.records.portal.words import WORDS


class ImportForm(forms.Form):
    bundle = forms.FileField(
        label=_("FHIR R4 transaction bundle of one patient"),
        help_text=_("A JSON file of at most 10 MB. It is read in memory and never stored as a file."),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json,application/fhir+json"}),
    )


class Import(Page):
    """All or nothing; the report accounts for every entry."""

    access = (Action.CREATE, Resource.IMPORT)
    template = "records/import.html"
    words = WORDS

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(form=ImportForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ImportForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form=form, status=400)
        try:
            report: Report = services.import_bundle(source=form.cleaned_data["bundle"], by=self.by)
        except DomainError as error:
            form.add_error("bundle", str(sentence_of(error, self.words)))
            return self.show(form=form, status=status_of(error))
        counts = {_("Stored"): report.stored, _("Updated"): report.updated, _("Unchanged"): report.unchanged}
        groups = [(label, sorted(count.items())) for label, count in counts.items()]
        return self.show(form=ImportForm(), report=report, groups=groups)
