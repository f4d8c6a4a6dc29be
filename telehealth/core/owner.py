"""Commands that are the owner's work: the runtime role lacks the rights, and processes that serve lack the address."""

from typing import Any

from django.core.management.base import CommandError
from django.db import connections

from telehealth.core.command import AuditedCommand

OWNER = "owner"


class OwnersCommand(AuditedCommand):
    """An audited command that works as the tables' owner (`MIGRATION_DATABASE_URL`), or says that it cannot."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        if OWNER not in connections.databases:
            raise CommandError("this needs MIGRATION_DATABASE_URL: it is the work of the database's owner")
        return super().execute(*args, **options)
