"""The first administrator, who invites everybody else; and a way in when no administrator is left."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from audit.ledger import SYSTEM
from telehealth.accounts import selectors, services
from telehealth.accounts.access import Role
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.core.command import AuditedCommand
from telehealth.core.errors import DomainError

STAFF = [role.value for role in Role if role not in PATIENT_SIDE]


class Command(AuditedCommand):
    """Sends the invitation by e-mail and prints its link, which is good once and for seven days."""

    help = "Invite somebody of the staff to an account."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("email")
        parser.add_argument("name")
        parser.add_argument("--role", choices=STAFF, default=Role.ADMINISTRATOR.value)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            invitation = services.invite_staff(email=options["email"], role=Role(options["role"]), name=options["name"], by=SYSTEM)
        except DomainError as error:
            raise CommandError(error.code) from None
        self.stdout.write(settings.PUBLIC_URL.rstrip("/") + selectors.invitation_path(invitation.pk))
