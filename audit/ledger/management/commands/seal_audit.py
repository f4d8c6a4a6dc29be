"""The sealer's process: a round at least twice a second; ends cleanly on SIGTERM and Ctrl-C."""

import logging
import signal
import time
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, connection

from audit.ledger.sealing import Sealer, make_partitions, take_lock

log = logging.getLogger(__name__)
PARTITIONS_EVERY = 3600.0  # seconds


class Command(BaseCommand):
    help = "Seal new audit entries into the Merkle tree and write signed checkpoints, until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="seal what is there, then end")
        parser.add_argument("--every", type=float, default=0.4, help="seconds between rounds")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = Event()
        if options["once"]:
            return self._once()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        while not self.stopping.is_set():
            try:
                self._run(options["every"])
            except DatabaseError:
                log.exception("sealing stopped; trying again")
                connection.close()
                self.stopping.wait(1)
        return None

    def _once(self) -> None:
        while not take_lock():  # the running sealer, which seals meanwhile
            time.sleep(0.2)
        sealer = Sealer()
        while sealer.seal().more:
            pass
        connection.close()

    def _run(self, every: float) -> None:
        if not take_lock():
            self.stopping.wait(1)
            return
        sealer, partitions_due = Sealer(), 0.0
        known: set[str] = set()
        while not self.stopping.is_set():
            if time.monotonic() >= partitions_due:
                make_partitions()
                partitions_due = time.monotonic() + PARTITIONS_EVERY
            done = sealer.seal()
            if new := set(done.forged) - known:
                known |= new
                log.error("entries without a valid MAC were not sealed", extra={"count": len(new)})
            if not done.more:
                self.stopping.wait(every)
