"""Commands that are the owner's work: the runtime role lacks the rights, and processes that serve lack the address."""

import sys
from typing import Any, TextIO

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


class Bar:
    """How far we are, on one line of a terminal; nothing where there is none to look."""

    def __init__(self, total: int, what: str, stream: TextIO = sys.stderr) -> None:
        self.total, self.what, self.stream, self.done = max(total, 1), what, stream, 0

    def add(self, count: int) -> None:
        self.done += count
        if self.stream.isatty():
            full = min(30, 30 * self.done // self.total)
            self.stream.write(f"\r{self.what} [{'#' * full}{'.' * (30 - full)}] {self.done}/{self.total}")
            self.stream.flush()

    def close(self) -> None:
        if self.stream.isatty():
            self.stream.write("\n")
