"""Wrap every record key anew under the newest key-encryption key, beside traffic, and retire the others."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit.ledger import SYSTEM
from telehealth.core.command import AuditedCommand
from telehealth.core.progress import Bar
from telehealth.vault import rotation


class Command(AuditedCommand):
    """Run it again when it was interrupted: it goes on where it stopped."""

    help = "Re-wrap all record keys under the newest key-encryption key and retire the former ones."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--batch", type=int, default=rotation.BATCH, help="keys per transaction")
        parser.add_argument("--drop", action="store_true", help="take out of the keyring what was retired more than ten minutes ago")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._rotate(options["batch"])
            if options["drop"]:
                gone = rotation.drop(by=SYSTEM)
                self.stdout.write(f"dropped: {', '.join(gone) or 'none yet'}")
        except OSError as error:
            raise CommandError(f"the keyring's file cannot be written: {error.strerror}") from None

    def _rotate(self, batch: int) -> None:
        active = rotation.activate(by=SYSTEM)
        bar = Bar(rotation.waiting(active), "record keys")
        for done in rotation.rewrap(active, batch):
            bar.add(done)
        bar.close()
        retired = rotation.retire(active, bar.done, by=SYSTEM)
        self.stdout.write(f"{bar.done:,} keys wrapped anew; active: {active}; retired: {', '.join(retired) or 'none'}")
