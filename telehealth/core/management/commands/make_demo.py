"""The demonstration's clinic, once: what each app adds to it is named in `settings.DEMO_CLINIC`."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils.module_loading import import_string

from telehealth.core.command import AuditedCommand
from telehealth.core.demo import DemoClinic


class Command(AuditedCommand):
    """Refused outside a demonstration. Does nothing when the credentials file stands already."""

    help = "Create the demo clinic and write its sign-ins to FILE (0600)."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("the demo clinic is made in a demonstration only (make run)")
        target: Path = options["file"]
        if target.exists():
            return
        clinic = DemoClinic()
        with transaction.atomic():
            for name in settings.DEMO_CLINIC:
                import_string(name)(clinic)
            write_private(target, json.dumps({"sign_ins": clinic.sign_ins}, indent=2))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    half = path.with_name(path.name + ".new")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    half.replace(path)
