from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "telehealth.vault"
    label = "vault"
