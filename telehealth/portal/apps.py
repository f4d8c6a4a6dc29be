"""The engine of the portal face: pages, fragments, errors, the look. It knows no subject."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "telehealth.portal"
    label = "portal"
