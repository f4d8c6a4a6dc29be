"""Wrap the audit log's keys under the vault's provider, for `AUDIT_KEYS=vault`."""

import base64
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.ledger.keys import ed25519_key, private
from telehealth.vault import keyfile
from telehealth.vault.audit_keys import wrapped


class Command(BaseCommand):
    help = "Wrap the audit log's keys under the vault's provider; the originals stay where they are, to be taken off line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("mac", type=Path, help="the file of AUDIT_MAC_KEY")
        parser.add_argument("signing", type=Path, help="the file of AUDIT_SIGNING_KEY")

    def handle(self, *args: Any, **options: Any) -> None:
        mac = base64.b64decode(private(options["mac"]))
        pem = private(options["signing"])
        ed25519_key(pem)
        for setting, secret, path in (("AUDIT_MAC_KEY", mac, options["mac"]), ("AUDIT_SIGNING_KEY", pem, options["signing"])):
            kept = path.with_name(path.name + ".wrapped")
            keyfile.write(kept, wrapped(setting, secret).encode())
            self.stdout.write(f"{setting}_FILE={kept}")
        self.stdout.write("AUDIT_KEYS=vault")
