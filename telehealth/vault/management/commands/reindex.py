"""Bring blind indexes and search tokens under the newest index root, beside traffic."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit.ledger import SYSTEM
from telehealth.core.command import AuditedCommand
from telehealth.core.progress import Bar
from telehealth.vault import reindexing


class Command(AuditedCommand):
    """Run it again when it was interrupted: it goes on where it stopped."""

    help = "Write every blind index anew under the newest index root."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--new-root", action="store_true", help="only add a root to the keyring, to bring to every machine first")
        parser.add_argument("--batch", type=int, default=reindexing.BATCH, help="rows per transaction")
        parser.add_argument("--settle", type=float, default=reindexing.SETTLE, help="seconds after which every process knows of the change")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new_root"]:
            try:
                self.stdout.write(f"index root {reindexing.new_root(by=SYSTEM)} is in the keyring")
            except OSError as error:
                raise CommandError(f"the keyring's file cannot be written: {error.strerror}") from None
            return
        bar = Bar(3 * reindexing.rows(), "indexes")
        for done in reindexing.run(by=SYSTEM, size=options["batch"], settle=options["settle"]):
            bar.add(done)
        bar.close()
        self.stdout.write(f"indexes are under root {reindexing.version()}")
