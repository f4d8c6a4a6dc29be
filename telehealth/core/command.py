"""The base of management commands that may open health data."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.ledger import SYSTEM, unit
from telehealth.core.errors import Unavailable
from telehealth.core.output import OnRecord, on_record


class AuditedCommand(BaseCommand):
    """Runs in a unit of the system actor; `--reason CODE` says why and is kept in each entry. It prints what it opened
    after the entry is written, or nothing."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", default="", help="a short code kept in the audit log (never a name)")

    def execute(self, *args: Any, **options: Any) -> str | None:
        reason = options.get("reason") or self.__module__.rsplit(".", 1)[-1]
        with unit(SYSTEM, channel="command", purpose="HOPERAT", reason=reason), on_record():
            try:
                return super().execute(*args, **{**options, **_outputs(options)})
            except Unavailable as error:
                raise CommandError(f"{error.code}: try again later", returncode=os.EX_TEMPFAIL) from error


def _outputs(options: dict[str, Any]) -> dict[str, Any]:
    """A caller's streams, else the process's, which wait for the log already."""
    given = {name: options[name] for name in ("stdout", "stderr") if options.get(name)}
    return {"stdout": sys.stdout, "stderr": sys.stderr} | {name: OnRecord(stream) for name, stream in given.items()}
