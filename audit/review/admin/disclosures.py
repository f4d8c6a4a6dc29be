"""What has left, in Django's admin: seen and written down by privacy officers; a person's accounting to take along."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from audit.ledger import current
from audit.review import services
from audit.review.downloads import FORMATS, download
from audit.review.models import Basis, Disclosure
from audit.review.services import Recipient
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.admin_fresh import FreshForm
from telehealth.accounts.admin_tables import TableAdmin
from telehealth.core.errors import DomainError


class WriteDownForm(forms.ModelForm):
    """What a person disclosed without this system."""

    about = forms.UUIDField(label=_("patient id"))
    when = forms.DateTimeField(label=_("when"), required=False, help_text=_("Empty: now."))
    recipient_name = forms.CharField(label=_("recipient"), max_length=200)
    recipient_address = forms.CharField(label=_("address"), max_length=400, required=False)
    told = forms.CharField(label=_("what"), max_length=1000)
    why = forms.CharField(label=_("purpose"), max_length=1000)
    by_right = forms.ChoiceField(label=_("legal basis"), choices=Basis.choices)

    class Meta:
        model = Disclosure
        fields: list[str] = []

    def clean(self) -> dict[str, Any]:
        """The service is asked here, so that what it refuses is told beside the form."""
        given = super().clean() or {}
        if not self.errors:
            recipient = Recipient(given["recipient_name"], given["recipient_address"])
            told = {"what": given["told"], "purpose": given["why"], "basis": given["by_right"], "at": given["when"]}
            try:
                made = services.write_down(patient_id=given["about"], recipient=recipient, **told, by=current().actor)
            except DomainError as no:
                raise forms.ValidationError(_("This cannot be: no such patient, or a time that is still to come."), code=no.code) from None
            self.instance = made
        return given

    def save(self, commit: bool = True) -> Disclosure:
        made: Disclosure = self.instance
        return made

    def save_m2m(self) -> None:
        """Nothing more to save."""


class TakeForm(FreshForm):
    """The accounting of this line's patient, to take along."""

    accounting_as = forms.ChoiceField(label=_("take the patient's accounting along as"), choices=[(each, each) for each in FORMATS])
    complete = forms.BooleanField(label=_("with what an accounting leaves out"), required=False)

    class Meta:
        model = Disclosure
        fields: list[str] = []


@admin.register(Disclosure)
class DisclosureAdmin(TableAdmin):
    """Newest first. The list opens nothing; one line opens its record, and is an act."""

    resource = Resource.DISCLOSURE
    list_display = ("at", "patient_id", "source_kind", "made_by")
    search_fields = ("=patient__id", "=made_by", "=source_id")
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    line = ("at", "patient_id", "recipient", "what", "purpose", "basis", "source_kind", "source_id", "made_by")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, Action.EXPORT)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return WriteDownForm if obj is None else TakeForm.for_request(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*(() if obj is None else self.line), *self.get_form(request, obj).base_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.line

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        services.read_disclosure(disclosure=self.get_object(request, object_id), by=current().actor)
        return super().change_view(request, object_id, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Disclosure, form: Any, change: bool) -> None:
        """`WriteDownForm` has asked the service; a line that stands is never changed."""
        if change:
            given = form.cleaned_data
            request.export = services.export_accounting(  # type: ignore[attr-defined]
                patient_id=obj.patient_id, format=given["accounting_as"], complete=given["complete"], by=form.by
            )

    def response_change(self, request: HttpRequest, obj: Disclosure) -> HttpResponseBase:  # type: ignore[override]
        return download(request.export)  # type: ignore[attr-defined]
