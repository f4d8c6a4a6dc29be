"""Wrap the same keys by another provider: from a file to AWS KMS or a transit engine, or anew under a provider's newest key."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit.ledger import SYSTEM
from telehealth.core.command import AuditedCommand
from telehealth.vault import document, providers, rotation


class Command(AuditedCommand):
    """Writes a new file and leaves the old one alone: the settings say when the new one counts."""

    help = "Write the keyring anew to FILE, wrapped by PROVIDER (local, aws, transit)."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("provider", choices=sorted(providers.BY_NAME))
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            document.lay_down(rotation.move(options["provider"], by=SYSTEM), options["file"])
        except FileExistsError:
            raise CommandError("that file exists") from None
        except OSError as error:
            raise CommandError(f"it cannot be written: {error.strerror}") from None
        self.stdout.write(
            f"set VAULT_PROVIDER={options['provider']} and VAULT_KEYRING_FILE to that file, restart, then destroy the old one"
        )
