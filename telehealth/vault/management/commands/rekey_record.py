"""A new data key for one patient record (or for the accounts), beside traffic."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from audit.ledger import SYSTEM
from telehealth.core.errors import DomainError
from telehealth.core.owner import OWNER, OwnersCommand
from telehealth.core.progress import Bar
from telehealth.vault import rekeying, sealed_rows
from telehealth.vault.cipher import Broken
from telehealth.vault.fields import ACCOUNTS


class Command(OwnersCommand):
    """Every value of the record is sealed anew; then the old key is destroyed. Run it again when it was ended."""

    help = "Seal everything of one record under a new key: RECORD is its id, or `accounts`."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("record", type=lambda given: ACCOUNTS if given == "accounts" else UUID(given))
        parser.add_argument("--batch", type=int, default=rekeying.BATCH, help="rows per transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._rekey(options["record"], options["batch"])
        except DomainError as error:
            raise CommandError(error.code) from None
        except Broken:
            raise CommandError("the record has no key, or something of it does not open: nothing was destroyed") from None

    def _rekey(self, record_id: UUID, size: int) -> None:
        version = rekeying.begin(record_id, OWNER)
        bar, rows = Bar(sealed_rows.count(record_id, version, OWNER), "rekey"), 0
        while True:
            for done in rekeying.sweep(record_id, OWNER, size):
                rows += done
                bar.add(done)
            if rekeying.finish(record_id, OWNER, by=SYSTEM, rows=rows):
                break
        bar.close()
        self.stdout.write(f"version {version}: {rows} rows sealed anew, the old key is destroyed")
