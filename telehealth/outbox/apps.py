from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "telehealth.outbox"
    label = "outbox"
