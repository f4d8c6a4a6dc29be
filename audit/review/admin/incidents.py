"""Incidents in Django's admin: opened, counted, assessed, their notices put on record, and everyone affected taken along."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from audit.ledger import current
from audit.review import selectors, services
from audit.review.downloads import FORMATS, download
from audit.review.kinds import KINDS
from audit.review.models import Basis, Conclusion, Incident, Notice
from audit.review.services import Purpose, Recipient
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.admin_fresh import FreshForm
from telehealth.accounts.admin_tables import TableAdmin
from telehealth.core.errors import DomainError

WORDS = {
    "period_backwards": _("It ends before it begins."),
    "subject_unknown": _("An account is named by its id."),
    "date_ahead": _("That day has not come yet."),
    "not_surveyed": _("Count who is affected first."),
    "incident_decided": _("It has been assessed: that stands."),
    "no_notice_due": _("No such notice is owed."),
}
STEPS = [
    ("survey", _("Count who is affected")),
    ("assess", _("Assess")),
    ("notice", _("A notice was given")),
    *[(each, f"{_('Take everyone affected along:')} {each}") for each in FORMATS],
]


def refused(no: DomainError) -> forms.ValidationError:
    return forms.ValidationError(WORDS.get(no.code, _("This cannot be done now.")), code=no.code)


class OpenForm(forms.ModelForm):
    """What was misused, and from when to when."""

    told = forms.CharField(label=_("what happened"), max_length=4000, required=False, widget=forms.Textarea, help_text=_("Sealed."))

    class Meta:
        model = Incident
        fields = ["subject_kind", "subject", "starts_at", "ends_at", "discovered_on"]

    def clean(self) -> dict[str, Any]:
        """The service is asked here, so that what it refuses is told beside the form."""
        given = super().clean() or {}
        if not self.errors:
            values = {name: given[name] for name in self.Meta.fields}
            try:
                self.made = services.open_incident(**values, summary=given["told"], by=current().actor)
            except DomainError as no:
                raise refused(no) from None
        return given

    def save(self, commit: bool = True) -> Incident:
        return self.made

    def save_m2m(self) -> None:
        """Nothing more to save."""


class StepForm(FreshForm):
    """One step; what the others need stays empty."""

    step = forms.ChoiceField(label=_("step"), choices=STEPS)
    conclusion = forms.ChoiceField(label=_("verdict"), choices=[("", "---------"), *Conclusion.choices], required=False)
    nature = forms.CharField(label=_("nature and extent of the data"), max_length=4000, required=False)
    got_by = forms.CharField(label=_("who got it"), max_length=4000, required=False)
    acquired = forms.CharField(label=_("whether it was acquired or viewed"), max_length=4000, required=False)
    mitigation = forms.CharField(label=_("mitigation"), max_length=4000, required=False)
    notice = forms.ChoiceField(label=_("notice"), choices=[("", "---------"), *Notice.choices], required=False)
    told_on = forms.DateField(label=_("given on"), required=False)
    recipient = forms.CharField(label=_("recipient"), max_length=200, required=False)
    purpose = forms.CharField(label=_("purpose"), max_length=1000, required=False)
    basis = forms.ChoiceField(label=_("legal basis"), choices=Basis.choices, initial=Basis.OPERATIONS, required=False)
    contact = forms.BooleanField(label=_("with name and address, for letters"), required=False)
    needs = {"assess": ("conclusion", "nature", "got_by", "acquired", "mitigation"), "notice": ("notice", "told_on"), "survey": ()}

    class Meta:
        model = Incident
        fields: list[str] = []

    def clean(self) -> dict[str, Any]:
        """Asks for what the step needs, then for the code, then the service."""
        step = self.cleaned_data.get("step", "")
        for name in self.needs.get(step, ("recipient", "purpose", "basis")):
            if not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, forms.ValidationError(_("This step needs it."), code="required"))
        given = super().clean()
        if not self.errors:
            try:
                self.export = self._done(step, given)
            except DomainError as no:
                raise refused(no) from None
        return given

    def _done(self, step: str, given: dict[str, Any]) -> services.Export | None:
        which: dict[str, Any] = {"incident_id": self.instance.pk, "by": self.by}
        if step == "survey":
            services.survey_incident(**which)
        elif step == "assess":
            factors = {"nature": given["nature"], "recipient": given["got_by"], "acquired": given["acquired"]}
            services.assess_incident(verdict=given["conclusion"], assessment=factors | {"mitigation": given["mitigation"]}, **which)
        elif step == "notice":
            services.note_notice(notice=given["notice"], told_on=given["told_on"], **which)
        else:
            going = Purpose(Recipient(given["recipient"]), given["purpose"], Basis(given["basis"]))
            return services.export_incident(format=step, going=going, contact=given["contact"], **which)
        return None


@admin.register(Incident)
class IncidentAdmin(TableAdmin):
    """Newest first; counts of the last survey, and what is owed by when."""

    resource = Resource.INCIDENT
    list_display = ("opened_at", "subject_kind", "subject", "starts_at", "ends_at", "discovered_on", "people", "verdict")
    list_filter = ("subject_kind", "verdict")
    ordering = ("-id",)
    list_per_page = 50
    seen = (
        *("subject_kind", "subject", "starts_at", "ends_at", "discovered_on", "opened_at", "summary"),
        *("surveyed_at", "people", "states", "kinds", "owed", "verdict", "assessed_at"),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, Action.ACT)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return OpenForm if obj is None else StepForm.for_request(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*(() if obj is None else self.seen), *self.get_form(request, obj).base_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.seen

    def save_model(self, request: HttpRequest, obj: Incident, form: Any, change: bool) -> None:
        """The forms have asked the services."""
        request.export = getattr(form, "export", None)  # type: ignore[attr-defined]

    def response_change(self, request: HttpRequest, obj: Incident) -> HttpResponseBase:  # type: ignore[override]
        export = request.export  # type: ignore[attr-defined]
        return download(export) if export else super().response_change(request, obj)

    @admin.display(description=_("people by state"))
    def states(self, incident: Incident) -> str:
        counts = (incident.counts or {}).get("states", {})
        return ", ".join(f"{code or _('not known')}: {people}" for code, people in counts.items())

    @admin.display(description=_("people by kind of data"))
    def kinds(self, incident: Incident) -> str:
        counts = (incident.counts or {}).get("kinds", {})
        return "; ".join(f"{KINDS.get(code, code)}: {people}" for code, people in counts.items())

    @admin.display(description=_("notices owed"))
    def owed(self, incident: Incident) -> str:
        told = [(duty, getattr(incident, f"{duty.notice}_told_on")) for duty in selectors.duties_of(incident)]
        return "; ".join(f"{duty.notice.label}: {duty.due_on} {' '.join(duty.states)} {'✓' if on else ''}".strip() for duty, on in told)
