from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "telehealth.records"
    label = "records"
