"""Bring the bucket with object lock to what is published here; the clock does it every few minutes."""

import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.ledger import alarms
from audit.ledger.errors import Forked
from audit.ledger.publication.bucket import Differs, Unlocked, publish


class Command(BaseCommand):
    help = "Put new tiles and the newest checkpoint into the bucket AUDIT_BUCKET, under object lock."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.AUDIT_BUCKET:
            raise CommandError("AUDIT_BUCKET is not set")
        try:
            done = publish(settings.AUDIT_CHECKPOINTS, self._progress)
        except Forked as fork:
            alarms.fork_found(fork.published, fork.stored)
            raise CommandError(str(fork)) from fork
        except Differs as error:
            alarms.fork_found(0, 0)
            raise CommandError(f"the bucket holds something else as {error}") from error
        except (Unlocked, ClientError, BotoCoreError, OSError) as error:
            raise CommandError(f"not published: {error}") from error
        self.stdout.write(f"the bucket has the tree of {done.size:,}; {done.put:,} objects put")

    def _progress(self, done: int, of: int) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{done:,} of {of:,} tiles", ending="" if done < of else "\n")
