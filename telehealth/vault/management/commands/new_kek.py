"""Make a key-encryption key, which wraps nothing yet; `rotate_kek` puts it to use."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit.ledger import SYSTEM
from telehealth.core.command import AuditedCommand
from telehealth.vault import rotation


class Command(AuditedCommand):
    """The key is made here, wrapped by the provider, and added to the keyring's file."""

    help = "Add a key-encryption key to the keyring; with --first, make the keyring of a new installation."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--first", action="store_true", help="there is no keyring yet, and nothing is sealed yet")

    def handle(self, *args: Any, **options: Any) -> None:
        make = rotation.begin_keyring if options["first"] else rotation.new_kek
        try:
            name = make(by=SYSTEM)
        except rotation.StillInUse:
            raise CommandError("a keyring exists, or records are sealed under one that is not here: put it back") from None
        except OSError as error:
            raise CommandError(f"the keyring's file cannot be written: {error.strerror}") from None
        self.stdout.write(f"{name} is in the keyring: bring the file to every machine, then run rotate_kek")
