from django.apps import AppConfig


class RehearsalConfig(AppConfig):
    name = "telehealth.rehearsal"
    label = "rehearsal"
