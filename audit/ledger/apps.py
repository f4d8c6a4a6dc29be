from django.apps import AppConfig
from django.db.models.signals import post_migrate

from audit.ledger.grants import grant_runtime_role


class LedgerConfig(AppConfig):
    name = "audit.ledger"
    label = "audit"
    verbose_name = "Audit log"

    def ready(self) -> None:
        post_migrate.connect(grant_runtime_role, dispatch_uid="audit.grants")
