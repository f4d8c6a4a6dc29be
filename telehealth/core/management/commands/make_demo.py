"""The demonstration's clinic, once: what each app adds to it is named in `settings.DEMO_CLINIC`."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
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
        half = target.with_name(target.name + ".new")
        if target.exists():
            return
        if get_user_model().objects.exists():
            self._adopt(half, target)
            return
        clinic = DemoClinic()
        with transaction.atomic():
            for name in settings.DEMO_CLINIC:
                import_string(name)(clinic)
            write_private(half, json.dumps({"sign_ins": clinic.sign_ins}, indent=2))
        half.replace(target)

    def _adopt(self, half: Path, target: Path) -> None:
        """The accounts are there: a start was ended between its commit and the file's last name, or somebody took the file away."""
        if not half.exists():
            raise CommandError(
                f"{target} is gone, and with it the sign-ins of the clinic that is there: put it back, or start in another home"
            )
        half.replace(target)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
