"""Verify the whole log; exit non-zero and name the first bad entry when something does not fit."""

import json
import os
import sys
import time
from argparse import ArgumentTypeError
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.ledger.errors import EntryNotWritten
from audit.ledger.status import keep_verification
from audit.ledger.verification import Report, Untrusted, Verifier
from audit.tlog.reading import Unpublished

BAR = 30
MOST_JOBS = 32


def key_of(given: str) -> bytes:
    """32 bytes in hex, or a file that holds them."""
    try:
        key = bytes.fromhex((Path(given).read_text() if Path(given).is_file() else given).strip())
    except (OSError, ValueError) as error:
        raise ArgumentTypeError("a key is 64 hex digits, or a file that holds them") from error
    if len(key) != 32:
        raise ArgumentTypeError("a key is 64 hex digits, or a file that holds them")
    return key


def jobs_of(given: str) -> int:
    """A number of processes."""
    if not given.isdecimal() or not 1 <= int(given) <= MOST_JOBS:
        raise ArgumentTypeError(f"1 to {MOST_JOBS} processes")
    return int(given)


class Command(BaseCommand):
    help = "Recompute MACs, leaves, tree, signatures and consistency of the audit log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--against", help="checkpoints kept elsewhere: a folder, an address, or a file of notes")
        parser.add_argument("--token-file", type=Path, help="a file with the witness's token, for an address that asks for one")
        parser.add_argument("--key", type=key_of, help="the checkpoint key: 64 hex digits, or a file that holds them")
        parser.add_argument("--since", type=Path, help="a file with a checkpoint that is trusted: what came before is not read again")
        parser.add_argument("--jobs", type=jobs_of, default=jobs_of(str(_cores())), help="processes (default: one for each core)")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        report = self._verified(options)
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(report), "ok": report.ok}))
        else:
            self._say(report)
        self._keep(report)
        if not report.ok:
            sys.exit(1)

    def _verified(self, options: dict[str, Any]) -> Report:
        against, since, token = options["against"], _text_of(options["since"]), _text_of(options["token_file"]).strip()
        try:
            verifier = Verifier(against, options["key"], since=since, jobs=options["jobs"], token=token)
        except (OSError, ValueError, Unpublished) as error:
            raise CommandError(_not_verified(against, error)) from error
        except Untrusted as error:
            raise CommandError(f"the trusted checkpoint cannot be used: {error}") from error
        try:
            return verifier.run(self._progress)
        except (OSError, Unpublished) as error:  # with a key that was given, the first question is asked only here
            raise CommandError(_not_verified(against, error)) from error
        except Untrusted as error:
            raise CommandError(f"{error}: THE LOG DOES NOT VERIFY") from error

    def _keep(self, report: Report) -> None:
        """On record for the privacy officer's panel, where this database takes entries."""
        first = report.damages[0].kind if report.damages else ""
        try:
            keep_verification(size=report.tree_size, damages=len(report.damages), first=first)
        except EntryNotWritten:
            self.stderr.write("the result is not on record: this database takes no entries")

    def _progress(self, done: int, of: int) -> None:
        if not sys.stderr.isatty():
            return
        rate = done / max(time.monotonic() - self.began, 0.001)
        full = BAR * done // max(of, 1)
        left = f"{(of - done) / max(rate, 1):.0f} s left" if done < of else " " * 12
        self.stderr.write(f"\r[{'#' * full}{'.' * (BAR - full)}] {done:,} of {of:,} entries, {rate:,.0f}/s, {left}", ending="")
        if done >= of:
            self.stderr.write("")

    def _say(self, report: Report) -> None:
        archived = f", {report.archived:,} in archives" if report.archived else ""
        since = f" after the first {report.since:,}" if report.since else ""
        self.stdout.write(
            f"{report.entries:,} sealed entries{since}{archived}, {report.unsealed:,} waiting, {report.checkpoints:,} checkpoints, "
            f"tree of {report.tree_size:,}, root {report.root[:16]}, {report.seconds:,.1f} s"
        )
        for damage in report.damages[:10]:
            at = "" if damage.index is None else f" at leaf {damage.index}"
            what = damage.entry if " " in damage.entry else f"entry {damage.entry}"
            self.stdout.write(self.style.ERROR(f"{damage.kind}: {what}{at}"))
        for why in report.archives[:10]:
            self.stdout.write(self.style.ERROR(f"archive {why}"))
        if report.unread:
            self.stdout.write(f"{report.unread:,} entries in archives that cannot be read were not verified")
        self.stdout.write(_verdict(report))


def _verdict(report: Report) -> str:
    if report.incomplete:
        return "NOT ALL OF THE LOG COULD BE VERIFIED: until its archives can be read, what they hold is not known"
    return "the log verifies" if report.ok else "THE LOG DOES NOT VERIFY"


def _not_verified(against: str | None, error: Exception) -> str:
    where = f"at {against} cannot be had" if against else "of this machine cannot be had: has the sealer run?"
    return f"nothing was verified: the checkpoints {where} ({error})"


def _text_of(file: Path | None) -> str:
    try:
        return file.read_text(encoding="utf-8") if file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read") from error


def _cores() -> int:
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST_JOBS)
