"""App registration of the REST engine."""

from django.apps import AppConfig


class RestConfig(AppConfig):
    name = "telehealth.rest"
    label = "rest"
