"""What staff decide in Django's admin: by services, with a fresh factor, told in words when the answer is no."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from telehealth.accounts import factors, sessions
from telehealth.accounts.access import Action
from telehealth.accounts.admin_tables import TableAdmin
from telehealth.accounts.errors import FreshFactorRequired
from telehealth.core.errors import DomainError, Missing

WORDS = {
    "not_found": _("There is no such thing, or somebody else must do this."),
    "role_asked": _("Another request for a role of this person waits: approve or withdraw that one first."),
    "role_period_unusable": _("That time is over already."),
    "role_missing": _("This account has no role any more: grant one, and it is switched on."),
    "reset_asked": _("A reset of this person waits already."),
    "staff_only": _("This is for staff only."),
    "email_taken": _("Another account signs in with this e-mail address."),
}


class DecisionAdmin(TableAdmin):
    """Asked for by adding, decided by actions of the list; what stands is not edited."""

    ordering = ("-id",)
    list_per_page = 50
    shown: tuple[str, ...] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return () if obj is None else self.shown

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return super().get_fields(request, obj) if obj is None else self.shown

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_approve_permission(self, request: HttpRequest) -> bool:
        """For `@admin.action(permissions=["approve"])`."""
        return self._may(request, Action.UPDATE)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return self.fresh(request, lambda: super(DecisionAdmin, self).changelist_view(request, *args, **kwargs))

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        if self.has_add_permission(request) and not factors.is_fresh(request.by):  # type: ignore[attr-defined]
            return step_up(request)
        return self.fresh(request, lambda: super(DecisionAdmin, self).add_view(request, *args, **kwargs))

    def fresh(self, request: HttpRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """The view's answer; the page for a fresh factor, or this page again with a sentence, when a service says no."""
        try:
            return view()
        except FreshFactorRequired:
            return step_up(request)
        except DomainError as error:
            self.tell(request, error)
            return sessions.towards(request.get_full_path())

    def each(self, request: HttpRequest, chosen: "QuerySet[Any]", do: Callable[[Any], object]) -> None:
        """Do it to each; a no to one is told and does not stop the others."""
        for row in chosen:
            try:
                do(row)
            except FreshFactorRequired:
                raise
            except DomainError as error:
                self.tell(request, error)

    def tell(self, request: HttpRequest, error: DomainError) -> None:
        """Why not, in a sentence."""
        code = "not_found" if isinstance(error, Missing) else error.code
        self.message_user(request, str(WORDS.get(code, code)), messages.WARNING)


def step_up(request: HttpRequest) -> HttpResponseBase:
    """Where a fresh factor is shown, and back."""
    return sessions.towards(reverse("step-up-page"), request.get_full_path())
