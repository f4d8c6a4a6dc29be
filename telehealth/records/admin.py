"""Django's admin for privacy officers: legal holds, and the destruction of a record by two people; for administrators, licences."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from telehealth.accounts import sessions
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.admin_tables import TableAdmin
from telehealth.accounts.errors import FreshFactorRequired
from telehealth.core.errors import DomainError, Missing
from telehealth.records import services
from telehealth.records.admin_licenses import LicenseAdmin, LicenseExceptionAdmin
from telehealth.records.models import Destruction, DestructionReason, HoldReason, LegalHold
from telehealth.vault.errors import RecordDestroyed

__all__ = ["DestructionAdmin", "LegalHoldAdmin", "LicenseAdmin", "LicenseExceptionAdmin"]
WORDS = {
    "legal_hold_stands": _("A legal hold stands: the record must be kept."),
    "acts_for_others": _("The person's account acts for somebody else. End those grants first."),
    "record_still_needed": _(
        "The record is still needed: appointments stand, or an accounting of what was disclosed is owed for six years."
    ),
    "destruction_asked": _("It has been asked for already."),
    "not_found": _("There is no such record, or somebody else must do this."),
}


class RecordForm(forms.Form):
    """Which record, and why."""

    record = forms.UUIDField(label=_("record"))
    in_words = forms.CharField(label=_("in words"), widget=forms.Textarea, max_length=4000, help_text=_("Kept sealed, with the record."))


class HoldForm(RecordForm, forms.ModelForm):
    code = forms.ChoiceField(label=_("reason"), choices=HoldReason.choices)

    class Meta:
        model = LegalHold
        fields = ["code"]


class DestructionForm(RecordForm, forms.ModelForm):
    code = forms.ChoiceField(label=_("reason"), choices=DestructionReason.choices)

    class Meta:
        model = Destruction
        fields = ["code"]


class DecisionAdmin(TableAdmin):
    """What is added is decided by a service; what stands is not edited. A fresh factor is asked for where it is due."""

    ordering = ("-id",)
    list_per_page = 50
    shown: tuple[str, ...] = ()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ("record", "code", "in_words") if obj is None else (*self.shown, "words")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return () if obj is None else (*self.shown, "words")

    @admin.display(description=_("in words"))
    def words(self, obj: Any) -> str:
        """What was written; nothing once it went with the record."""
        try:
            return str(obj.why)
        except RecordDestroyed:
            return "—"

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return self._fresh(request, lambda: super(DecisionAdmin, self).changeform_view(request, *args, **kwargs))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return self._fresh(request, lambda: super(DecisionAdmin, self).changelist_view(request, *args, **kwargs))

    def _fresh(self, request: HttpRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        try:
            return view()
        except FreshFactorRequired:
            return sessions.towards(sessions.factor_page(request.by), request.get_full_path())  # type: ignore[attr-defined]
        except DomainError as error:
            self._tell(request, error)
            return sessions.towards(request.get_full_path())

    def _each(self, request: HttpRequest, chosen: "QuerySet[Any]", do: Callable[[Any], object]) -> None:
        for row in chosen:
            try:
                do(row)
            except FreshFactorRequired:
                raise
            except DomainError as error:
                self._tell(request, error)

    def _tell(self, request: HttpRequest, error: DomainError) -> None:
        code = "not_found" if isinstance(error, Missing) else error.code
        self.message_user(request, WORDS.get(code, code), messages.WARNING)


@admin.register(LegalHold)
class LegalHoldAdmin(DecisionAdmin):
    """Holds on records; lifting one is an action of the list."""

    resource = Resource.LEGAL_HOLD
    form = HoldForm
    list_display = ("id", "patient_id", "code", "placed_by", "placed_at", "lifted_by", "lifted_at")
    shown = list_display
    actions = ("lift",)

    def save_model(self, request: HttpRequest, obj: LegalHold, form: Any, change: bool) -> None:
        given = form.cleaned_data
        obj.pk = services.place_hold(patient_id=given["record"], code=given["code"], why=given["in_words"], by=request.by).pk  # type: ignore[attr-defined]

    @admin.action(description=_("Lift"), permissions=["act"])
    def lift(self, request: HttpRequest, chosen: "QuerySet[LegalHold]") -> None:
        self._each(request, chosen, lambda hold: services.lift_hold(hold_id=hold.pk, by=request.by))  # type: ignore[attr-defined]


@admin.register(Destruction)
class DestructionAdmin(DecisionAdmin):
    """Asked for by adding, approved by somebody else as an action, done by `manage.py shred_record`."""

    resource = Resource.DESTRUCTION
    form = DestructionForm
    list_display = ("id", "patient_id", "code", "requested_by", "requested_at", "approved_by", "approved_at", "withdrawn_at", "done_at")
    shown = list_display
    actions = ("approve", "withdraw")

    def save_model(self, request: HttpRequest, obj: Destruction, form: Any, change: bool) -> None:
        given = form.cleaned_data
        made = services.request_destruction(patient_id=given["record"], code=given["code"], why=given["in_words"], by=request.by)  # type: ignore[attr-defined]
        obj.pk = made.pk

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """For the action below."""
        return self._may(request, Action.UPDATE)

    @admin.action(description=_("Approve"), permissions=["approve"])
    def approve(self, request: HttpRequest, chosen: "QuerySet[Destruction]") -> None:
        self._each(request, chosen, lambda asked: services.approve_destruction(destruction_id=asked.pk, by=request.by))  # type: ignore[attr-defined]

    @admin.action(description=_("Call off"), permissions=["act"])
    def withdraw(self, request: HttpRequest, chosen: "QuerySet[Destruction]") -> None:
        self._each(request, chosen, lambda asked: services.withdraw_destruction(destruction_id=asked.pk, by=request.by))  # type: ignore[attr-defined]
