"""Who may use these pages: nothing here is about a patient, and every change goes through a service."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit.ledger import current
from telehealth.accounts.access import Action, Resource, granted


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
