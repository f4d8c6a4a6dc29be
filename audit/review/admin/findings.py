"""The queue of findings in Django's admin: looked through by privacy officers, closed with a verdict and a fresh factor."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from audit.ledger import ANONYMOUS, Actor
from audit.review import selectors, services
from audit.review.models import Detector, Finding, State, Verdict
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.admin_fresh import FreshForm
from telehealth.accounts.admin_tables import TableAdmin


class Overdue(admin.SimpleListFilter):
    """Emergency access that nobody has looked at in time."""

    title = _("overdue")
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Finding]") -> "QuerySet[Finding]":
        return selectors.late(queryset) if self.value() == "yes" else queryset


class CloseForm(FreshForm):
    """The verdict, and why."""

    verdict = forms.ChoiceField(label=_("verdict"), choices=[("", "---------"), *Verdict.choices])
    note = forms.CharField(
        label=_("note"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 6}), help_text=_("Sealed with the record.")
    )

    class Meta:
        model = Finding
        fields = ["verdict"]


@admin.register(Finding)
class FindingAdmin(TableAdmin):
    """Newest first. Which detector spoke is sealed, so it is shown and not searched by."""

    resource = Resource.FINDING
    list_display = ("found_at", "why", "who", "role", "about", "day", "state", "due_at", "escalated_at", "verdict")
    list_filter = ("state", Overdue)
    search_fields = ("=actor_id", "=record")
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Finding]":
        return selectors.findings_for(self._by(request))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        services.read_findings(filters=request.GET.keys() & {"state__exact", "overdue", "q"}, by=self._by(request))
        return super().changelist_view(request, extra_context)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "GET" and (finding := self.get_object(request, object_id)):
            services.read_finding(finding_id=finding.pk, by=self._by(request))
        return super().change_view(request, object_id, *args, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == Overdue.parameter_name or super().lookup_allowed(lookup, value, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, Action.ACT) and (obj is None or obj.state == State.OPEN)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if not self.has_change_permission(request, obj):
            return super().get_form(request, obj, change, **kwargs)
        return CloseForm.for_request(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ["why", "what", "who", "role", "about", "entry", "day", "found_at", "due_at", "escalated_at", "state"]
        if self.has_change_permission(request, obj):
            return [*shown, *CloseForm.for_request(request).base_fields]
        return [*shown, "verdict", "closed_by", "closed_at", "kept_note"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        editable = CloseForm.for_request(request).base_fields if self.has_change_permission(request, obj) else {}
        return [name for name in self.get_fields(request, obj) if name not in editable]

    def save_model(self, request: HttpRequest, obj: Finding, form: Any, change: bool) -> None:
        given = form.cleaned_data
        services.close_finding(finding_id=obj.pk, verdict=given["verdict"], note=given["note"], by=form.by)

    @admin.display(description=_("why"))
    def why(self, finding: Finding) -> str:
        return str(Detector(finding.detector).label)

    @admin.display(description=_("facts"))
    def what(self, finding: Finding) -> str:
        return ", ".join(f"{name}: {value}" for name, value in finding.facts.items())

    @admin.display(description=_("who"))
    def who(self, finding: Finding) -> str:
        return getattr(finding, "actor_name", "") or str(finding.actor_id)

    @admin.display(description=_("record"))
    def about(self, finding: Finding) -> str:
        return str(finding.patient_id or "")

    @admin.display(description=_("entry"))
    def entry(self, finding: Finding) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:audit_entry_change", args=[finding.entry_id]), finding.entry_id)

    @admin.display(description=_("note"))
    def kept_note(self, finding: Finding) -> str:
        return finding.note or ""

    @staticmethod
    def _by(request: HttpRequest) -> Actor:
        by: Actor = getattr(request, "by", ANONYMOUS)
        return by
