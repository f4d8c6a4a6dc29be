"""The content security policies, closed by default (OWASP ASVS 3.4; W3C CSP 3)."""

from typing import Any

from csp.constants import NONCE, NONE, SELF, STRICT_DYNAMIC
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase

PAGES: dict[str, Any] = {
    "default-src": [NONE],
    "script-src": [NONCE, STRICT_DYNAMIC],
    "style-src": [SELF],
    "connect-src": [SELF],  # CSP 3: 'self' covers ws: and wss: of the same host and port
    "img-src": [SELF, "data:", "blob:"],
    "media-src": [SELF, "blob:"],
    "font-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
    "require-trusted-types-for": ["'script'"],
    "trusted-types": ["default"],
}

# Django's own admin marks no script with a nonce and its jQuery is no friend of trusted types: only its own files run.
ADMIN: dict[str, Any] = {
    **{name: value for name, value in PAGES.items() if "trusted" not in name},
    "script-src": [SELF],
}


class Middleware(CSPMiddleware):
    """Sends the portal's policy everywhere but under the admin, which gets its own."""

    def get_policy_parts(self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False) -> PolicyParts:
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if not report_only and request.path_info.startswith("/admin/"):
            parts.config = ADMIN
        return parts
