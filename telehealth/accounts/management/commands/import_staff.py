"""Invitations for many of the staff, out of a CSV file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit.ledger import SYSTEM
from telehealth.accounts import services
from telehealth.core.command import AuditedCommand


class Command(AuditedCommand):
    """Columns email,name,role. One line of report per line of the file; nothing is done when any of them is wrong."""

    help = "Invite the staff that a CSV file lists."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only say what is wrong with which line")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rows = options["file"].read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"not read: {type(error).__name__}") from None
        lines = services.import_staff(rows=rows, by=SYSTEM, dry_run=options["dry_run"])
        for line in lines:
            self.stdout.write(f"line {line.number}: {line.problem or 'ok'}")
        wrong = sum(bool(line.problem) for line in lines)
        if wrong:
            raise CommandError(f"{wrong} of {len(lines)} lines are wrong: nothing was done")
        self.stdout.write(f"{len(lines)} {'would be' if options['dry_run'] else 'were'} invited")
