"""Visit types and weekly hours, for administrators. Nothing here is about a patient; every change goes through a service."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from audit.ledger import current
from scheduling import services
from scheduling.hours import ZONES
from scheduling.models import Availability, VisitType
from telehealth.accounts.access import Action, Resource, granted
from telehealth.records.models import Practitioner
from telehealth.records.selectors import practitioners


class ByTheTable(admin.ModelAdmin):
    """What may be done is what the access table says, and by whom: the actor whom the sign-in found."""

    resource: Resource
    actions = None

    def may(self, action: Action) -> bool:
        return bool(granted(current().actor, action, self.resource))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.may(Action.UPDATE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(Action.UPDATE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(Action.CREATE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(Action.UPDATE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(Action.DELETE)


@admin.register(VisitType)
class VisitTypeAdmin(ByTheTable):
    """Never deleted: what is no longer offered is switched off."""

    resource = Resource.VISIT_TYPE
    list_display = ("code", "name", "modality", "minutes", "is_active")
    ordering = ("code",)

    def get_readonly_fields(self, request: HttpRequest, obj: VisitType | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()

    def save_model(self, request: HttpRequest, obj: VisitType, form: forms.ModelForm, change: bool) -> None:
        by = current().actor
        if change:
            services.change_visit_type(visit_type_id=obj.pk, changes={name: form.cleaned_data[name] for name in form.changed_data}, by=by)
        else:
            obj.pk = services.define_visit_type(**form.cleaned_data, by=by).pk


class PractitionerField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Practitioner) -> str:
        return obj.name


class HoursForm(forms.ModelForm):
    practitioner = PractitionerField(Practitioner.objects.none())
    weekday = forms.TypedChoiceField(choices=sorted(WEEKDAYS.items()), coerce=int)
    timezone = forms.ChoiceField(choices=[(name, name) for name in sorted(ZONES)])

    class Meta:
        model = Availability
        fields = ("practitioner", "weekday", "starts", "ends", "timezone", "valid_from", "valid_to")
        help_texts = {"ends": _("00:00 is midnight at the end of the day.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "practitioner" in self.fields:  # absent where the page is for looking only
            cast(forms.ModelChoiceField, self.fields["practitioner"]).queryset = practitioners()


@admin.register(Availability)
class AvailabilityAdmin(ByTheTable):
    """Opened and closed, never edited: what was offered when stays in the log."""

    resource = Resource.AVAILABILITY
    form = HoursForm
    list_display = ("provider", "day", "starts", "ends", "timezone", "valid_from", "valid_to")
    list_select_related = ("practitioner",)
    ordering = ("practitioner", "weekday", "starts")

    @admin.display(description=_("provider"))
    def provider(self, obj: Availability) -> str:
        return obj.practitioner.name

    @admin.display(description=_("weekday"))
    def day(self, obj: Availability) -> str:
        return str(WEEKDAYS[obj.weekday])

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Availability, form: forms.ModelForm, change: bool) -> None:
        given = dict(form.cleaned_data)
        obj.pk = services.open_hours(practitioner_id=given.pop("practitioner").pk, **given, by=current().actor).pk

    def delete_model(self, request: HttpRequest, obj: Availability) -> None:
        services.close_hours(availability_id=obj.pk, by=current().actor)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Availability]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)
