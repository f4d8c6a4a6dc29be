"""The privacy officer's log in Django's admin: the list, one entry, the timelines of one patient and of one account.

Strictly read-only: there are four addresses and all of them only read. Each look is an entry.
"""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audit.ledger import current
from audit.ledger.entries import COLUMNS
from audit.ledger.models import Entry
from audit.ledger.status import MOST_COUNTED, status
from audit.review import selectors, services
from audit.review.admin.forms import PLACES, LookForm
from audit.review.errors import LookTooWide
from telehealth.accounts.access import Resource
from telehealth.accounts.admin_tables import TableAdmin
from telehealth.core.errors import Missing

if admin.site.is_registered(Entry):
    admin.site.unregister(Entry)  # auditlog's own page, which edits and exports


@admin.register(Entry)
class EntryAdmin(TableAdmin):
    """Newest first, by id, which is by time; a page is found by the id that it begins at."""

    resource = Resource.AUDIT_ENTRY

    def get_urls(self) -> list[URLPattern]:
        """Only these: Django's own would add, delete and keep a history of changes."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="audit_entry_changelist"),
            path("patients/<uuid:pk>/", view(self.patient_view), name="audit_entry_patient"),
            path("accounts/<uuid:pk>/", view(self.actor_view), name="audit_entry_actor"),
            path("<uuid:pk>/change/", view(self.entry_view), name="audit_entry_change"),
        ]

    @method_decorator(require_safe)
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"status": status(), "most_counted": MOST_COUNTED}
        return self._page(request, "list", LookForm(request.GET), context | (extra_context or {}))

    @method_decorator(require_safe)
    def patient_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Everything on record about one patient, day by day."""
        context = {"title": _("Timeline of a patient"), "subject": pk, "view": "patient"}
        return self._page(request, "timeline", LookForm(request.GET, without="patient"), context, patient=pk)

    @method_decorator(require_safe)
    def actor_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Everything that one account has done and seen, day by day."""
        context = {"title": _("Timeline of an account"), "subject": pk, "view": "actor"}
        return self._page(request, "timeline", LookForm(request.GET, without="actor"), context, actor=pk)

    @method_decorator(require_safe)
    def entry_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """One entry with all its columns, and where it stands in the tree."""
        self._may_look(request)
        try:
            entry = services.read_entry(pk=pk, by=current().actor)
        except Missing as error:
            raise Http404 from error
        columns = [(name, getattr(entry, name)) for name in COLUMNS]
        return self._render(request, "entry", {"entry": entry, "columns": columns, "place": selectors.place_of(entry)})

    def _page(self, request: HttpRequest, template: str, form: LookForm, context: dict[str, Any], **subject: UUID) -> HttpResponse:
        self._may_look(request)
        page = selectors.Page([], None, None)
        if form.is_valid():
            try:
                view = context.get("view", template)
                page = services.read_entries(wanted=form.wanted(**subject), by=current().actor, view=view, **form.place())
            except LookTooWide:
                form.add_error(None, _("This would read too much of the log: name a patient, an account or a shorter time (31 days)."))
        rows = [(entry, selectors.kinds_opened(entry)) for entry in page.entries]
        return self._render(request, template, {"form": form, "page": page, "rows": rows, "links": _links(request, page), **context})

    def _may_look(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _render(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, "title": self.opts.verbose_name_plural, **context}
        return TemplateResponse(request, f"admin/audit/entry/{template}.html", whole)


def _links(request: HttpRequest, page: selectors.Page) -> dict[str, str]:
    """Query strings of the pages next to this one."""
    asked = request.GET.copy()
    for name in PLACES:
        asked.pop(name, None)
    rest = f"&{asked.urlencode()}" if asked else ""
    found = {"older": ("before", page.older), "newer": ("after", page.newer)}
    return {name: f"?{word}={pk}{rest}" for name, (word, pk) in found.items() if pk}
