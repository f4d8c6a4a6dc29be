"""Which pages the portal is made of: its menu, where each role starts, and whose fragments fill the slots of a page."""

from typing import Any

from django.utils.translation import gettext_lazy as _

HOME = {  # role: URL name of where it starts; "" for others
    "": "welcome",
    "administrator": "admin:index",
    "privacy_officer": "admin:index",
    "front_desk": "desk",
    "biller": "desk",
    "nurse": "today",
    "provider": "today",
}
SLOTS = {  # shell: slot: URL name and its parameters
    "desk": {
        "invite": ("desk-invite", "patient_id"),
        "booking": ("booking", "patient_id"),
        "staff": ("desk-staff", "patient_id"),
        "consents": ("consents", "patient_id"),
    },
    "sharing": {"consents": ("consents", "patient_id")},
    "phone": {"booking": ("booking", "patient_id")},
    "visit": {
        "banner": ("patient-banner", "patient_id"),
        "lobby": ("visit-lobby", "visit_id"),
        "note": ("visit-note", "visit_id"),
        "prescriptions": ("visit-prescriptions", "visit_id"),
        "finish": ("visit-finish", "visit_id"),
    },
}


def menu(*, demo: bool) -> list[tuple[str, Any, set[str]]]:
    """URL name, label, roles; in a demonstration also what patients otherwise have as an app."""
    return [
        ("today", _("Today"), {"provider", "nurse", "front_desk"}),
        ("calendar", _("Calendar"), {"provider", "nurse", "front_desk"}),
        ("desk", _("Patients"), {"nurse", "front_desk", "biller"}),
        ("import", _("Import"), {"nurse"}),
        ("emergency", _("Emergency"), {"provider", "nurse"}),
        ("admin:index", _("Administration"), {"administrator", "privacy_officer"}),
        ("sharing", _("Sharing"), {"patient", "proxy"}),
        *([("phone", _("My visits"), {"patient", "proxy"})] if demo else []),
    ]
