"""`manage.py rehearse`: one whole visit against a running server, through its public interfaces."""

import asyncio
import json
import logging
import os
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from telehealth.rehearsal.visit.clinic import MANAGE, NoClinic, find
from telehealth.rehearsal.visit.script import Play
from telehealth.rehearsal.visit.stage import Stage, Stopped, table

TALKATIVE = ("httpx", "httpcore", "websockets", "aioice", "aiortc")
SAMPLE = Path(__file__).resolve().parents[2] / "visit" / "sample.json"


class Command(BaseCommand):
    help = "Plays one whole visit against a running server: import, invitation, booking, call, note, prescription, audit."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bundle", type=Path, default=SAMPLE, help="FHIR R4 transaction Bundle of one patient (default: a sample)")
        parser.add_argument("--url", default="", help="the server (default: the one that `make run` has started)")
        parser.add_argument("--credentials", default="", help="JSON file with the staff's sign-ins (default: demo.json of the home)")
        parser.add_argument("--json", action="store_true", help="print the result as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            bundle = options["bundle"].read_bytes()
            clinic = find(Path(os.environ.get("TELEHEALTH_HOME") or MANAGE.parent / "var"), options["url"], options["credentials"])
        except (OSError, NoClinic) as error:
            reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
            raise CommandError(reason) from None
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)  # they would print addresses with tokens in them
        stage = Stage(None if options["json"] and not sys.stderr.isatty() else sys.stderr)
        play = Play(stage, clinic, bundle)
        failure: Stopped | None = None
        try:
            asyncio.run(play.run())
        except Stopped as stopped:
            failure = stopped
        self._tell(play, failure, as_json=options["json"])
        if failure:
            sys.exit(1)

    def _tell(self, play: Play, failure: Stopped | None, *, as_json: bool) -> None:
        if as_json:
            result = {"ok": failure is None, "steps": [asdict(step) for step in play.stage.steps], **_outcome(play)}
            if failure:
                result["failed"] = {"step": failure.step, "reason": failure.reason}
            self.stdout.write(json.dumps(result, indent=1))
            return
        self.stdout.write(table(play.stage.steps))
        if failure:
            self.stderr.write(f"rehearse: {failure}")


def _outcome(play: Play) -> dict[str, Any]:
    found = {name: play.record.get(name) for name in ("patient", "deceased", "minor", "created", "problems")}
    return {**found, "visit": play.visit or None, "prescription": play.prescription or None, "audit": play.verified}
