"""The privacy officer's list of entries: strictly read-only, without a COUNT over millions; each look is an entry."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from audit.ledger import Act, current
from audit.ledger.models import Entry
from audit.review import services
from telehealth.accounts.access import Action, Resource, Role, scopes

MOST = 10_000

if admin.site.is_registered(Entry):
    admin.site.unregister(Entry)  # auditlog's own page, which edits and exports


class Uncounted(Paginator):
    """Counts no further than it will ever show."""

    @cached_property
    def count(self) -> int:
        entries = cast("QuerySet[Entry]", self.object_list)
        return len(entries.order_by().values_list("pk", flat=True)[:MOST])


class Listed(admin.SimpleListFilter):
    """A filter over values that we know: asking the table for its distinct ones would read all of it."""

    values: Sequence[str]

    @classmethod
    def of(cls, name: str, values: Sequence[str]) -> type["Listed"]:
        return type(f"{name.title()}Filter", (cls,), {"title": name, "parameter_name": name, "values": values})

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        value = self.value()
        return queryset.filter(**{str(self.parameter_name): value}) if value in self.values else queryset


FILTERS: dict[str, Sequence[str]] = {
    "act": tuple(Act),
    "outcome": ("ok", "refused", "failed"),
    "role": (*Role, "anonymous", "system"),
    "channel": ("REST", "portal", "admin", "WS", "task", "command", "inbound", "OAuth", "dev"),
}


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    """Newest first, by id, which is by time."""

    list_display = ("timestamp", "act", "outcome", "role", "actor_id", "record_id", "channel", "purpose", "reason")
    list_filter = tuple(Listed.of(name, values) for name, values in FILTERS.items())
    search_fields = ("=actor_id", "=record_id", "=cid")
    ordering = ("-id",)
    paginator = Uncounted
    show_full_result_count = False
    list_per_page = 100
    actions = None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        services.read_entries(filters=request.GET.keys() & {*FILTERS, "q"}, by=current().actor)
        return super().changelist_view(request, extra_context)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        services.read_entry(entry=self.get_object(request, object_id), by=current().actor)
        return super().change_view(request, object_id, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).defer("mac")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may_look()

    def has_view_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return self._may_look()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False

    def _may_look(self) -> bool:
        return bool(scopes(current().actor.role, Action.SEARCH, Resource.AUDIT_ENTRY))
