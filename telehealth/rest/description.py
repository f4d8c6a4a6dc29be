"""What the OpenAPI description says beside the faces: plain data, so that settings can take it."""

from typing import Any

from django.utils.translation import gettext_noop as _

PROBLEM_REFERENCE = {"$ref": "#/components/schemas/Problem"}
COMPONENTS: dict[str, Any] = {
    "schemas": {
        "Problem": {
            "type": "object",
            "description": _("An error (RFC 9457). Programs go by `code`."),
            "required": ["type", "title", "status", "code"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "code": {"type": "string"},
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"field": {"type": "string"}, "code": {"type": "string"}},
                    },
                },
            },
        }
    },
    "securitySchemes": {
        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-session"},
        "oauth": {
            "type": "oauth2",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": "/oauth/authorize/",
                    "tokenUrl": "/oauth/token/",
                    "refreshUrl": "/oauth/token/",
                    "scopes": {
                        "patient": _("Act as the patient who signed in"),
                        "patient.read": _("The same, for looking only"),
                        "schedule": _("Appointments"),
                        "visits": _("Video visits"),
                        "record": _("Look at the record"),
                        "sharing": _("Consents and people who act for the patient"),
                        "openid": _("An identity token"),
                        "offline_access": _("A refresh token"),
                    },
                }
            },
        },
    },
}
SPECTACULAR: dict[str, Any] = {
    "TITLE": "Telehealth",
    "VERSION": "1",
    "DESCRIPTION": _("Telemedicine backend: appointments, visits, notes, prescriptions."),
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "APPEND_COMPONENTS": COMPONENTS,
    "POSTPROCESSING_HOOKS": [],  # enumerations stay where they are used, so that two "status" fields never collide
    "SERVE_INCLUDE_SCHEMA": False,
    "DISABLE_ERRORS_AND_WARNINGS": False,
}
"""For SPECTACULAR_SETTINGS."""
