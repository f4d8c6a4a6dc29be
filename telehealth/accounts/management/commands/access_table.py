"""The access table as a page for people who do not read Python."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from telehealth.accounts.access_page import render


class Command(BaseCommand):
    """Writes docs/access.md; `--check` only says whether it is as the table is."""

    help = "Render the access table to docs/access.md."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when the page is stale; write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        page = Path(settings.BASE_DIR) / "docs" / "access.md"
        if not options["check"]:
            page.write_text(render(), encoding="utf-8")
        elif not page.exists() or page.read_text(encoding="utf-8") != render():
            raise CommandError("docs/access.md is stale: run manage.py access_table")
