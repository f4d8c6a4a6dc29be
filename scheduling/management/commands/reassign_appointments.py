import json
from collections import Counter
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from audit.ledger import SYSTEM
from scheduling.services import Move, reassign
from telehealth.core.command import AuditedCommand
from telehealth.core.errors import DomainError


class Command(AuditedCommand):
    """Prints a line of JSON per appointment, ids and codes only, and the counts last."""

    help = "A provider leaves: say to which colleague (first who is there, free, licensed) their appointments would go, or move them."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--from", dest="leaving", type=UUID, required=True, metavar="PRACTITIONER")
        parser.add_argument(
            "--to", dest="colleagues", type=UUID, nargs="+", required=True, metavar="PRACTITIONER", help="in order of preference"
        )
        parser.add_argument("--apply", action="store_true", help="do it; without this nothing changes")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            moves = reassign(from_id=options["leaving"], to_ids=options["colleagues"], by=SYSTEM, apply=options["apply"])
        except DomainError as error:
            raise CommandError(error.code) from None
        for each in moves:
            self.stdout.write(line(each))
        counted = Counter("moved" if each.to else "left" for each in moves)
        self.stdout.write(json.dumps({"applied": options["apply"], "moved": counted["moved"], "left": counted["left"]}))


def line(move: Move) -> str:
    to = str(move.to) if move.to else None
    return json.dumps({"appointment": str(move.appointment), "starts_at": move.starts_at.isoformat(), "to": to, "why": move.why})
