"""Destroy one patient's record for good, as two people have decided."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db import OperationalError

from audit.ledger import SYSTEM
from telehealth.core.errors import DomainError
from telehealth.core.owner import OWNER, OwnersCommand
from telehealth.records import services
from telehealth.vault import destroying
from telehealth.vault.cipher import Broken


class Command(OwnersCommand):
    """All of it in one transaction: ended in the middle, nothing has happened. Prints the certificate's request."""

    help = "Destroy the record RECORD: what a privacy officer asked for and another approved in the administration."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("record", type=UUID)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asked = services.destroy_record(patient_id=options["record"], by=SYSTEM)
        except DomainError as error:
            raise CommandError(error.code) from None
        except Broken:
            raise CommandError("the record has no key") from None
        except OperationalError:
            raise CommandError("somebody is writing to the record: try again") from None
        destroying.clear_away(OWNER)
        self.stdout.write(f"{options['record']} is destroyed; the certificate is the entry record.destroyed about {asked.pk}")
