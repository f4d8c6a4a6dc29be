import json
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.utils.translation import gettext as _

from audit.ledger import Actor, current
from telehealth.accounts.models import User
from telehealth.accounts.selectors import account_of_email
from telehealth.core.command import AuditedCommand
from telehealth.core.errors import DomainError
from telehealth.records.services import import_bundle


class Command(AuditedCommand):
    help = "Import a FHIR R4 transaction Bundle of one patient, of any size, in the name of an account that may."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="a JSON file")
        parser.add_argument("--as", dest="account", required=True, metavar="ACCOUNT", help="e-mail address or id of the account")

    def handle(self, *args: Any, **options: Any) -> None:
        by = _actor(options["account"])
        current().become(by)
        try:
            with options["file"].open("rb") as source:
                report = import_bundle(source=source, by=by)
        except DomainError as error:
            raise CommandError(error.code) from None
        except OSError as error:
            raise CommandError(_("The file cannot be read: %(why)s") % {"why": error.strerror}) from None
        counts = {"stored": report.stored, "updated": report.updated, "unchanged": report.unchanged}
        told = {"patient": str(report.patient), "created": report.created, "deceased": report.deceased, "minor": report.minor}
        self.stdout.write(json.dumps({**told, **counts, "problems": report.problems()}))


def _actor(account: str) -> Actor:
    pk = _uuid(account)
    user = User.objects.filter(pk=pk).first() if pk else account_of_email(account)
    if user is None or not user.is_active:
        raise CommandError(_("There is no such account."))
    return user.actor


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
