"""Archive expired months of the audit log and take them out of the database. Runs as the owner of the tables."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from audit.ledger import SYSTEM, unit
from audit.ledger.archives import ArchiveBroken, ArchiveUnreachable
from audit.ledger.archiving import NotArchivable, archive, detach, drop, expired
from audit.ledger.models import Archive
from audit.tlog.reading import TileReader


class Command(BaseCommand):
    help = "Archive months of the audit log that have been kept long enough: sealed, read back, on record; then detached."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", type=_month, help="this month alone, as YYYY-MM")
        parser.add_argument("--dry-run", action="store_true", help="say which months have expired, and do nothing")
        parser.add_argument("--drop", action="store_true", help="also drop the detached tables, where the archive can be read")
        parser.add_argument("--against", help="a folder or address of checkpoints and tiles kept elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        if "owner" not in connections:
            raise CommandError("this needs the owner of the tables: set MIGRATION_DATABASE_URL for this one command")
        try:
            months = expired()
            if options["dry_run"]:
                return self._list(months)
            with unit(SYSTEM, channel="command", purpose="HOPERAT", reason="archive_audit"):
                self._archive(months, options)
        except (NotArchivable, ArchiveBroken, ArchiveUnreachable, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        return None

    def _list(self, months: list[date]) -> None:
        for month in months:
            self.stdout.write(f"{month:%Y-%m} has expired")
        self.stdout.write(f"{len(months)} months, kept for {settings.AUDIT_RETENTION_YEARS} years")

    def _archive(self, months: list[date], options: dict[str, Any]) -> None:
        reader = TileReader(options["against"] or Path(settings.AUDIT_CHECKPOINTS))
        for month in [options["month"]] if options["month"] else months:
            made = archive(month, reader, self._progress)
            detached = detach(made)
            self.stdout.write(f"{made}: {made.entries:,} entries in {made.place}{', detached' if detached else ''}")
        if options["drop"]:
            wanted = Archive.objects.filter(month=options["month"]) if options["month"] else Archive.objects.order_by("month")
            for made in wanted:
                if drop(made):
                    self.stdout.write(f"{made}: table dropped")

    def _progress(self, count: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{count:,} entries archived", ending="")


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")
