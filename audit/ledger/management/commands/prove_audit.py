"""Write a document for `python -m audit.verify`: that an entry is in the log, or that one checkpoint continues another."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from audit.ledger import SYSTEM, Act, record, unit
from audit.ledger.archives import ArchiveBroken, ArchiveUnreachable
from audit.ledger.proving import NotPublished, Prover, place_of


class Command(BaseCommand):
    help = "Prove that an entry is in the audit log, or that one checkpoint continues another."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, help="where to write the document, instead of to the terminal")
        what = parser.add_subparsers(dest="what", required=True)
        entry = what.add_parser("entry", help="an entry is in the log")
        entry.add_argument("id", type=UUID)
        consistency = what.add_parser("consistency", help="one checkpoint continues another")
        consistency.add_argument("first", type=int, help="entries under the older checkpoint")
        consistency.add_argument("second", type=int, nargs="?", help="entries under the newer one; the newest by default")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            document = json.dumps(self._entry(options["id"]) if options["what"] == "entry" else self._consistency(options))
        except NotPublished as error:
            raise CommandError(f"{error}: has the sealer run?") from error
        except (ArchiveBroken, ArchiveUnreachable) as error:
            raise CommandError(f"the archive of that month cannot be read: {error}") from error
        if not options["output"]:
            self.stdout.write(document)
            return
        try:
            options["output"].write_text(document + "\n", encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{options['output']} cannot be written") from error

    def _entry(self, entry_id: UUID) -> dict[str, Any]:
        with unit(SYSTEM, channel="command", purpose="HOPERAT", reason="prove_audit"), transaction.atomic():
            record(SYSTEM, Act.LEDGER_READ, detail={"document": "entry", "entry": str(entry_id)})
        prover, place = Prover(), place_of(entry_id)
        path = prover.path(place) if place else None
        if place is None or path is None:
            raise CommandError("there is no such entry under the newest checkpoint")
        entry = {"entry": json.loads(place.text), "mac": place.mac.hex(), "leaf_index": place.index, "proof": path}
        return {**prover.header("entry"), **entry}

    def _consistency(self, options: dict[str, Any]) -> dict[str, Any]:
        found = Prover().between(options["first"], options["second"])
        if found is None:
            raise CommandError("no checkpoint of that size")
        return found
