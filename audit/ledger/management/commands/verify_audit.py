"""Verify the whole log; exit non-zero and name the first bad entry when something does not fit."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.ledger.errors import EntryNotWritten
from audit.ledger.status import keep_verification
from audit.ledger.verification import Report, Verifier


class Command(BaseCommand):
    help = "Recompute MACs, leaves, tree, signatures and consistency of the audit log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--against", type=Path, help="a directory of checkpoints and tiles kept elsewhere")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            verifier = Verifier(options["against"])
        except (OSError, ValueError) as error:
            raise CommandError("no checkpoints to verify against: has the sealer run?") from error
        report = verifier.run(self._progress)
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(report), "ok": report.ok}))
        else:
            self._say(report)
        self._keep(report)
        if not report.ok:
            sys.exit(1)

    def _keep(self, report: Report) -> None:
        """On record for the privacy officer's panel, where this database takes entries."""
        first = report.damages[0].kind if report.damages else ""
        try:
            keep_verification(size=report.tree_size, damages=len(report.damages), first=first)
        except EntryNotWritten:
            self.stderr.write("the result is not on record: this database takes no entries")

    def _progress(self, count: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{count:,} entries verified", ending="")

    def _say(self, report: Report) -> None:
        self.stdout.write(
            f"{report.entries:,} sealed entries, {report.unsealed:,} waiting, {report.checkpoints:,} checkpoints, "
            f"tree of {report.tree_size:,}, root {report.root[:16]}"
        )
        for damage in report.damages[:10]:
            self.stdout.write(self.style.ERROR(f"{damage.kind}: entry {damage.entry} at leaf {damage.index}"))
        self.stdout.write("the log verifies" if report.ok else "THE LOG DOES NOT VERIFY")
