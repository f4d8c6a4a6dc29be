"""Django's admin, behind the same two factors as everything else."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from audit.ledger import ANONYMOUS
from telehealth.accounts import factors, sessions
from telehealth.accounts.models import User

UNUSED = ("password_change", "view_on_site")


class StaffSite(AdminSite):
    """For administrators and privacy officers; what each may do there, the access table says."""

    site_header = site_title = _("Telehealth administration")
    index_title = _("Administration")

    def has_permission(self, request: HttpRequest) -> bool:
        by = getattr(request, "by", ANONYMOUS)
        return isinstance(request.user, User) and request.user.is_staff and factors.has_factor(by)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:  # type: ignore[override]
        """To the portal's sign-in; whoever is signed in and has no business here goes to the start page."""
        onward = request.GET.get("next") or reverse("admin:index")
        by = getattr(request, "by", ANONYMOUS)
        if factors.has_factor(by):
            return sessions.towards("/")
        return sessions.towards(reverse("sign-in") if by.id is None else sessions.factor_page(by), onward)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:  # type: ignore[override]
        """The portal's own sign-out is the only one; Django's admin asks for this address by name."""
        return sessions.towards("/")

    def get_urls(self) -> list[Any]:
        """Without Django's own change of password, which our services would know nothing of, and without its redirect to
        any object by content type and number."""
        return [pattern for pattern in super().get_urls() if not str(getattr(pattern, "name", "")).startswith(UNUSED)]
