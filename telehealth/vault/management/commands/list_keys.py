"""The inventory of keys: names, algorithms, states, places and counts; never a key."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from telehealth.core.command import AuditedCommand
from telehealth.vault import inventory


class Command(AuditedCommand):
    """Says `MISSING` of a key-encryption key that records are under and the keyring has not."""

    help = "List the keys that exist, without a key."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="as JSON, one object a key")

    def handle(self, *args: Any, **options: Any) -> None:
        found = inventory.keys()
        if options["json"]:
            self.stdout.write("\n".join(json.dumps(asdict(key)) for key in found))
            return
        for key in found:
            count = "" if key.under is None else f"{key.under:,}"
            self.stdout.write(f"{key.name:32} {key.algorithm:28} {key.state:32} {key.held:22} {count:>10}".rstrip())
