from django.apps import AppConfig
from django.core import checks

from telehealth.outbox import system_checks


class OutboxConfig(AppConfig):
    name = "telehealth.outbox"
    label = "outbox"

    def ready(self) -> None:
        checks.register(system_checks.short_name)
        checks.register(system_checks.sane_reminders)
