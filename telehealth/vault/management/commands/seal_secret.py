"""Take in a secret shared with the outside world, and keep it sealed."""

import getpass
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.validators import slug_re

from audit.ledger import SYSTEM
from telehealth.core.command import AuditedCommand
from telehealth.vault import integrations


class Command(AuditedCommand):
    """The secret comes by standard input, never as an argument: those are seen by everybody on the machine."""

    help = "Read a secret from standard input and keep it sealed under NAME; a setting `sealed:NAME` stands for it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if not slug_re.match(name) or len(name) > 60:
            raise CommandError("a name has letters, digits, - and _ only, at most 60")
        value = (getpass.getpass("secret: ") if sys.stdin.isatty() else sys.stdin.read()).strip()
        if not value:
            raise CommandError("there was nothing on standard input")
        integrations.seal(name=name, value=value, by=SYSTEM)
        self.stdout.write(f"sealed; the setting's value is {integrations.SEALED}{name}")
