"""Migrations run as the owner role: the runtime role has no DDL."""

from django.core.management.base import CommandParser
from django.core.management.commands import migrate


class Command(migrate.Command):
    """Django's own, on the alias `owner` (`MIGRATION_DATABASE_URL`) by default."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")
