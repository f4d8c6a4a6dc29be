"""`manage.py shell --reason CODE`: with it health data may be opened, each opening on record before its plaintext exists.

Without a reason nothing opens (NoContext). An entry's `session` names the user of the machine (`uid:1000`).
"""

import os
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import shell

from audit.ledger import Actor, unit


class Command(shell.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="", help="a short code kept in the audit log (never a name); without it nothing opens")

    def handle(self, **options: Any) -> None:
        reason = options.pop("reason")
        if not reason:
            super().handle(**options)
            return
        by = Actor(id=None, role="system", session=f"uid:{os.getuid()}")
        with unit(by, channel="shell", purpose="HOPERAT", reason=reason, eager=True):
            super().handle(**options)
