from django.apps import AppConfig
from django.core import checks

from prescribing import system_checks


class PrescribingConfig(AppConfig):
    name = "prescribing"
    label = "prescribing"

    def ready(self) -> None:
        checks.register(system_checks.complete, deploy=True)
        checks.register(system_checks.private, deploy=True)
