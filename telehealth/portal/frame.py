"""What surrounds every page: who is signed in, and where they may go."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise


class Entry(NamedTuple):
    """One entry of the menu, for the roles that have use for it."""

    name: str
    label: str | Promise
    roles: frozenset[str]


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: nothing but the signed-in state before both factors are shown."""
    by = getattr(request, "by", None)
    user = getattr(request, "user", None)
    if by is None or by.second_factor_at is None or user is None:
        return {"portal": {"signed_in": bool(user and user.is_authenticated)}}
    return {
        "portal": {
            "signed_in": True,
            "name": getattr(user, "name", ""),
            "role": by.role,
            "role_label": user.get_role_display() if hasattr(user, "get_role_display") else "",
            "menu": list(_menu(request, str(by.role))),
        }
    }


def _menu(request: HttpRequest, role: str) -> Iterable[dict[str, Any]]:
    for entry in map(Entry._make, getattr(settings, "PORTAL_MENU", ())):
        if role in entry.roles:
            href = reverse(entry.name)
            yield {"href": href, "label": entry.label, "here": request.path == href}
