"""Interpreters and rooms, for administrators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.ledger import current
from scheduling import services
from scheduling.admin.table import ByTheTable
from scheduling.models import BookableResource
from scheduling.statuses import Need
from telehealth.accounts.access import Resource


class ResourceForm(forms.ModelForm):
    class Meta:
        model = BookableResource
        fields = ("kind", "name", "account_id", "languages", "is_active")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        kind = given.get("kind") or self.instance.kind
        if kind and (kind == Need.ROOM) is bool(given.get("languages")):
            raise forms.ValidationError(_("An interpreter has languages, a room has none."), code="resource_odd")
        return given


@admin.register(BookableResource)
class BookableResourceAdmin(ByTheTable):
    """Never deleted: what is out of use is switched off."""

    resource = Resource.BOOKABLE_RESOURCE
    form = ResourceForm
    list_display = ("name", "kind", "languages", "is_active")
    ordering = ("kind", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: BookableResource | None = None) -> tuple[str, ...]:
        return ("kind",) if obj else ("is_active",)

    def save_model(self, request: HttpRequest, obj: BookableResource, form: forms.ModelForm, change: bool) -> None:
        by = current().actor
        if change:
            services.change_resource(resource_id=obj.pk, changes={name: form.cleaned_data[name] for name in form.changed_data}, by=by)
        else:
            obj.pk = services.define_resource(**form.cleaned_data, by=by).pk
