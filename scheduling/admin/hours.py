"""Hours, time off, extra hours and closures, for administrators."""

from typing import Any, TypeVar, cast

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.ledger import current
from scheduling import services
from scheduling.admin.table import ByTheTable
from scheduling.hours import ZONES
from scheduling.models import Availability, AvailabilityException
from telehealth.accounts.access import Resource
from telehealth.records.models import Practitioner
from telehealth.records.selectors import practitioners

M = TypeVar("M", bound=Model)


class PractitionerField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Practitioner) -> str:
        return obj.name


class ZonedForm(forms.ModelForm):
    timezone = forms.ChoiceField(choices=[(name, name) for name in sorted(ZONES)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "practitioner" in self.fields:  # absent where the page is for looking only
            cast(forms.ModelChoiceField, self.fields["practitioner"]).queryset = practitioners()


class HoursForm(ZonedForm):
    practitioner = PractitionerField(Practitioner.objects.none())

    class Meta:
        model = Availability
        fields = ("practitioner", "rrule", "starts", "ends", "timezone", "valid_from", "valid_to", "visit_types")
        help_texts = {"ends": _("00:00 is midnight at the end of the day.")}

    def clean_rrule(self) -> str:
        return str(self.cleaned_data["rrule"]).upper()


class ExceptionForm(ZonedForm):
    practitioner = PractitionerField(Practitioner.objects.none(), required=False, help_text=_("Nobody: the whole clinic."))

    class Meta:
        model = AvailabilityException
        fields = ("practitioner", "kind", "code", "first_day", "starts", "last_day", "ends", "timezone", "visit_types")


class NeverEdited(ByTheTable):
    """Made and taken back: what was offered when stays in the log."""

    resource = Resource.AVAILABILITY
    list_select_related = ("practitioner",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool) -> None:
        """The service has written the visit types with the rest."""

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)


def given_by(form: forms.ModelForm) -> dict[str, Any]:
    """What a service wants to hear: ids and codes."""
    given = dict(form.cleaned_data)
    practitioner = given.pop("practitioner")
    kinds = tuple(kind.code for kind in given.pop("visit_types"))
    return {**given, "practitioner_id": practitioner.pk if practitioner else None, "visit_types": kinds}


@admin.register(Availability)
class AvailabilityAdmin(NeverEdited):
    """Rules of who is there when."""

    form = HoursForm
    list_display = ("provider", "rrule", "starts", "ends", "timezone", "valid_from", "valid_to")
    ordering = ("practitioner", "starts")

    @admin.display(description=_("provider"))
    def provider(self, obj: Availability) -> str:
        return obj.practitioner.name

    def save_model(self, request: HttpRequest, obj: Availability, form: forms.ModelForm, change: bool) -> None:
        obj.pk = services.open_hours(**given_by(form), by=current().actor).pk

    def delete_model(self, request: HttpRequest, obj: Availability) -> None:
        services.close_hours(availability_id=obj.pk, by=current().actor)


@admin.register(AvailabilityException)
class ExceptionAdmin(NeverEdited):
    """Time off, extra hours, and days on which the whole clinic is closed."""

    form = ExceptionForm
    list_display = ("provider", "kind", "code", "first_day", "starts", "last_day", "ends", "timezone")
    list_filter = ("kind", "code")
    ordering = ("-first_day", "starts")

    @admin.display(description=_("provider"))
    def provider(self, obj: AvailabilityException) -> str:
        return obj.practitioner.name if obj.practitioner else str(_("the whole clinic"))

    def save_model(self, request: HttpRequest, obj: AvailabilityException, form: forms.ModelForm, change: bool) -> None:
        obj.pk = services.except_hours(**given_by(form), by=current().actor).pk

    def delete_model(self, request: HttpRequest, obj: AvailabilityException) -> None:
        services.lift_exception(exception_id=obj.pk, by=current().actor)
