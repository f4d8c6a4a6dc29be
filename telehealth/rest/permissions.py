"""The default permission of DRF views. A module of its own, because DRF imports it before any view exists."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class DeclaredOnly(BasePermission):
    """Serves only views that declare their access, which are faces and ask the gate; any other must open itself."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True for a face."""
        return getattr(view, "access", None) is not None
