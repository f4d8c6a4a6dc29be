"""The base of what Django's admin shows: the access table decides, never Django's permission strings."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model
from django.http import HttpRequest

from audit.ledger import ANONYMOUS
from telehealth.accounts.access import Action, Resource, granted


class TableAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Seen by roles with `search` on the resource, changed by those with `create` and `update`, deleted by nobody."""

    resource: ClassVar[Resource]
    actions: Any = []
    view_on_site = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, Action.SEARCH)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, Action.SEARCH)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, Action.CREATE)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, Action.UPDATE)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """For `@admin.action(permissions=["act"])`."""
        return self._may(request, Action.ACT)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only the filters on show: by any other the list would answer guesses at hashes and sealed columns."""
        return lookup.split("__", 1)[0] in self.list_filter

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """A question that PostgreSQL cannot even be asked is a wrong one, not a failure."""
        if any("\0" in value for values in request.GET.lists() for value in values[1]):
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    def _may(self, request: HttpRequest, action: Action) -> bool:
        return bool(granted(getattr(request, "by", ANONYMOUS), action, self.resource))
