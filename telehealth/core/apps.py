from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "telehealth.core"
    label = "core"
