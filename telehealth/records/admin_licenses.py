"""Django's admin for administrators: who may practise in which state, and by what exception. Given and ended, never edited."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from telehealth.accounts import sessions
from telehealth.accounts.access import Resource
from telehealth.accounts.admin_tables import TableAdmin
from telehealth.core.errors import Invalid
from telehealth.records import services
from telehealth.records.models import License, LicenseException, Practitioner
from telehealth.records.selectors import practitioners
from telehealth.records.states import STATES

CODES = sorted((code, f"{code} – {name.title()}") for name, code in STATES.items())
DAYS = {"valid_from": _("first day"), "valid_to": _("last day")}


class WhoseField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Practitioner) -> str:
        return obj.name


class EndForm(forms.ModelForm):  # type: ignore[type-arg]
    """What stands: its last day, or none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["valid_to"].required = False


class LeaveForm(EndForm):
    practitioner = WhoseField(Practitioner.objects.none(), label=_("practitioner"))
    state = forms.ChoiceField(label=_("state"), choices=CODES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(WhoseField, self.fields["practitioner"]).queryset = practitioners()


class LicenseForm(LeaveForm):
    class Meta:
        model = License
        fields = ("practitioner", "state", "valid_from", "valid_to")
        labels = DAYS


class ExceptionForm(LeaveForm):
    practitioner = WhoseField(
        Practitioner.objects.none(), label=_("practitioner"), required=False, empty_label=_("Everybody of the clinic")
    )

    class Meta:
        model = LicenseException
        fields = ("practitioner", "state", "basis", "valid_from", "valid_to")
        labels = DAYS


class LeaveAdmin(TableAdmin):
    """What stands keeps its beginning: only its last day can be set."""

    resource = Resource.LICENSE
    list_filter = ("state",)
    ordering = ("state", "-valid_from")
    given: tuple[str, ...] = ("whose", "state", "valid_from")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Who gives them: that everybody may read them is for the REST list."""
        return self.has_change_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).select_related("practitioner")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({"form": EndForm} if obj else {}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*self.given, "valid_to") if obj else super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.given if obj else ()

    @admin.display(description=_("practitioner"))
    def whose(self, obj: Any) -> str:
        return obj.practitioner.name if obj.practitioner else str(_("Everybody of the clinic"))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Invalid:
            self.message_user(request, _("It ends before it begins, or is there already."), messages.WARNING)
            return sessions.towards(request.get_full_path())


@admin.register(License)
class LicenseAdmin(LeaveAdmin):
    form = LicenseForm
    list_display = ("whose", "state", "valid_from", "valid_to")

    def save_model(self, request: HttpRequest, obj: License, form: Any, change: bool) -> None:
        given, by = dict(form.cleaned_data), request.by  # type: ignore[attr-defined]
        if change:
            services.end_license(license_id=obj.pk, last_day=given["valid_to"], by=by)
        else:
            obj.pk = services.give_license(practitioner_id=given.pop("practitioner").pk, **given, by=by).pk


@admin.register(LicenseException)
class LicenseExceptionAdmin(LeaveAdmin):
    form = ExceptionForm
    list_display = ("whose", "state", "basis", "valid_from", "valid_to")
    given = ("whose", "state", "basis", "valid_from")

    def save_model(self, request: HttpRequest, obj: LicenseException, form: Any, change: bool) -> None:
        given, by = dict(form.cleaned_data), request.by  # type: ignore[attr-defined]
        if change:
            services.end_exception(exception_id=obj.pk, last_day=given["valid_to"], by=by)
        else:
            whose = given.pop("practitioner")
            obj.pk = services.give_exception(practitioner_id=whose.pk if whose else None, **given, by=by).pk
