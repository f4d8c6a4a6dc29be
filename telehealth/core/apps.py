from django.apps import AppConfig

from telehealth.core import checks


class CoreConfig(AppConfig):
    name = "telehealth.core"
    label = "core"
    system_checks = checks  # imported, so registered
