"""The base of management commands that may open health data."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.ledger import SYSTEM, unit
from telehealth.core.errors import Unavailable


class AuditedCommand(BaseCommand):
    """Runs in a unit of the system actor; `--reason CODE` says why and is kept in each entry."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", default="", help="a short code kept in the audit log (never a name)")

    def execute(self, *args: Any, **options: Any) -> str | None:
        reason = options.get("reason") or self.__module__.rsplit(".", 1)[-1]
        with unit(SYSTEM, channel="command", purpose="HOPERAT", reason=reason):
            try:
                return super().execute(*args, **options)
            except Unavailable as error:
                raise CommandError(f"{error.code}: try again later", returncode=os.EX_TEMPFAIL) from error
