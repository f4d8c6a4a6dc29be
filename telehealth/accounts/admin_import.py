"""Many invitations at once in Django's admin: a CSV file is looked through first, then everybody is invited or nobody."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from telehealth.accounts import factors, services, sessions
from telehealth.accounts.admin_decisions import DecisionAdmin, step_up
from telehealth.accounts.services.importing import Line

LARGEST = 200_000  # characters: some thousand people
PROBLEMS = {
    "columns": _("the columns must be email,name,role"),
    "too_many_columns": _("more columns than three"),
    "email_invalid": _("no e-mail address"),
    "email_twice": _("stands in the file already"),
    "email_taken": _("has an account"),
    "role_unknown": _("no role of the staff"),
    "name_invalid": _("no name, or too long a one"),
    "unreadable": _("cannot be read"),
}


class FileForm(forms.Form):
    """The file as it is chosen."""

    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))

    def clean_file(self) -> str:
        """Its text."""
        given: bytes = self.cleaned_data["file"].read(LARGEST * 4 + 1)
        try:
            text = given.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise forms.ValidationError(_("This is not text in UTF-8."), code="unreadable") from None
        if len(text) > LARGEST or "\0" in text:
            raise forms.ValidationError(_("This file is too large, or holds more than text."), code="unreadable")
        return text


class TextForm(forms.Form):
    """What was looked through, to be done."""

    text = forms.CharField(max_length=LARGEST, strip=False, widget=forms.HiddenInput)


class ImportAdmin(DecisionAdmin):
    """An admin of invitations with a page for the file. Needs a fresh factor to be opened, and again when it is done."""

    change_list_template = "admin/accounts/invitation/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """And the page, before Django takes its name for an id."""
        page = path("import/", self.admin_site.admin_view(self.import_view), name="accounts_invitation_import")
        return [page, *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponseBase:
        """GET: the form. POST of a file: the dry run. POST of what was looked through: the invitations."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not factors.is_fresh(request.by):  # type: ignore[attr-defined]
            return step_up(request)
        if request.method != "POST":
            return self._page(request, FileForm())
        return self.fresh(request, lambda: self._look(request) if request.FILES else self._invite(request))

    def _look(self, request: HttpRequest) -> HttpResponseBase:
        form = FileForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(request, form)
        return self._told(request, form.cleaned_data["file"], dry_run=True)

    def _invite(self, request: HttpRequest) -> HttpResponseBase:
        form = TextForm(request.POST)
        if not form.is_valid():
            return self._page(request, FileForm(request.POST, request.FILES))
        return self._told(request, form.cleaned_data["text"], dry_run=False)

    def _told(self, request: HttpRequest, text: str, *, dry_run: bool) -> HttpResponseBase:
        lines = services.import_staff(rows=text.splitlines(), by=request.by, dry_run=dry_run)  # type: ignore[attr-defined]
        if dry_run or not lines or any(line.problem for line in lines):
            return self._page(request, FileForm(), lines, text)
        asked = ngettext("%d invitation waits for approval.", "%d invitations wait for approval.", len(lines))
        self.message_user(request, asked % len(lines))
        return sessions.towards(reverse("admin:accounts_invitation_changelist"))

    def _page(self, request: HttpRequest, form: FileForm, lines: list[Line] | None = None, text: str = "") -> HttpResponseBase:
        found = [(line, PROBLEMS.get(line.problem, "")) for line in lines or []]
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Import staff"),
            "opts": self.opts,
            "form": form,
            "lines": found,
            "wrong": any(line.problem for line, _word in found),
            "again": TextForm(initial={"text": text}),
        }
        return TemplateResponse(request, "admin/accounts/invitation/import.html", context)
