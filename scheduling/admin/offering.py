"""Visit types, for administrators."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from audit.ledger import current
from scheduling import services
from scheduling.admin.table import ByTheTable
from scheduling.models import VisitType
from telehealth.accounts.access import Resource


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
