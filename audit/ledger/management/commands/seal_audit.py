"""The sealer's process: a round at least twice a second; ends cleanly on SIGTERM and Ctrl-C."""

import signal
import time
from threading import Event
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from audit.ledger import alarms
from audit.ledger.errors import Forked, KeyUnavailable
from audit.ledger.resuming import set_aside, stored
from audit.ledger.sealing import Sealer, make_partitions, may_seal, take_lock

log = structlog.get_logger(__name__)
PARTITIONS_EVERY = 3600.0  # seconds
FORKED_PAUSE = 10.0  # seconds before looking again whether somebody has decided


class Command(BaseCommand):
    help = "Seal new audit entries into the Merkle tree and write signed checkpoints, until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="seal what is there, then end")
        parser.add_argument("--every", type=float, default=0.4, help="seconds between rounds")
        parser.add_argument(
            "--after-restore", action="store_true", help="the database was restored on purpose: set aside what was published beyond it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = Event()
        if options["after_restore"]:
            return self._after_restore()
        if options["once"]:
            return self._once()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        while not self.stopping.is_set():
            self._until_it_fails(options["every"])
        return None

    def _until_it_fails(self, every: float) -> None:
        try:
            self._run(every)
        except Forked as fork:
            self._say(fork)
            self.stopping.wait(FORKED_PAUSE)
        except (DatabaseError, KeyUnavailable, OSError):
            log.exception("sealing stopped; trying again")
            self.stopping.wait(1)
        connection.close()

    def _say(self, fork: Forked) -> None:
        log.error(
            "the database does not lead on from what was published; `seal_audit --after-restore` if that was meant",
            published=fork.published,
            stored=fork.stored,
        )
        try:
            alarms.fork_found(fork.published, fork.stored)
        except DatabaseError:
            log.exception("the alarm could not be recorded")

    def _after_restore(self) -> None:
        self._wait_for_lock()
        published = set_aside(settings.AUDIT_CHECKPOINTS)
        alarms.restored(published, stored()[0].size)
        self._seal_all()
        self.stdout.write(f"what was published up to size {published} is set aside; the log goes on from the database")

    def _once(self) -> None:
        self._wait_for_lock()
        try:
            self._seal_all()
        except Forked as fork:
            alarms.fork_found(fork.published, fork.stored)
            raise CommandError(str(fork)) from fork

    def _wait_for_lock(self) -> None:
        _must_seal()
        while not take_lock():  # the running sealer, which seals meanwhile
            time.sleep(0.2)

    def _seal_all(self) -> None:
        sealer = Sealer()
        while (done := sealer.seal()).more or done.forged:  # the alarm about what is forged is sealed too
            pass
        connection.close()

    def _run(self, every: float) -> None:
        _must_seal()
        if not take_lock():
            self.stopping.wait(1)
            return
        sealer, partitions_due = Sealer(), 0.0
        while not self.stopping.is_set():
            if time.monotonic() >= partitions_due:
                make_partitions()
                partitions_due = time.monotonic() + PARTITIONS_EVERY
            if not sealer.seal().more:
                self.stopping.wait(every)


def _must_seal() -> None:
    """A role that may not write leaves is told so at once, not by the first entry that it cannot seal."""
    if not may_seal():
        role = connection.settings_dict["USER"]
        raise CommandError(f"the role {role} may not seal the log: give this command SEALER_DATABASE_URL's role as its DATABASE_URL")
