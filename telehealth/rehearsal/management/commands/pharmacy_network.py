"""`manage.py pharmacy_network`: the outside world as a process of its own."""

from __future__ import annotations

import os
import signal
from argparse import ArgumentParser
from pathlib import Path
from threading import Event, Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from telehealth.rehearsal.network.server import Network


class Command(BaseCommand):
    help = "Runs the pharmacy network and the mail and text message catcher of demonstrations, on loopback, in memory."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--reply-to", default="", help="where confirmations go; default PUBLIC_URL/inbound/script/")

    def handle(self, *args: Any, port: int, reply_to: str, **options: Any) -> None:
        try:
            network = Network(port, reply_to=reply_to or _inbound(), secret=_secret())
        except OSError as error:
            raise CommandError(f"pharmacy_network: cannot listen on port {port}: {error.strerror}") from error
        done = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: done.set())
        worker = Thread(target=network.run, name="network")
        worker.start()
        self.stdout.write(f"pharmacy network ready on http://127.0.0.1:{network.server_port}")
        self.stdout.flush()
        done.wait()
        network.shutdown()
        worker.join()


def _inbound() -> str:
    clinic = os.environ.get("PUBLIC_URL", "").rstrip("/")
    return f"{clinic}/inbound/script/" if clinic else ""


def _secret() -> bytes:
    """PHARMACY_NETWORK_SECRET, or the content of the file PHARMACY_NETWORK_SECRET_FILE names."""
    secret = os.environ.get("PHARMACY_NETWORK_SECRET", "")
    if not secret and (file := os.environ.get("PHARMACY_NETWORK_SECRET_FILE")):
        try:
            secret = Path(file).read_text().strip()
        except OSError as error:
            raise CommandError(f"pharmacy_network: PHARMACY_NETWORK_SECRET_FILE: {error.strerror}") from error
    if not secret:
        raise CommandError("pharmacy_network: PHARMACY_NETWORK_SECRET or PHARMACY_NETWORK_SECRET_FILE is needed")
    return secret.encode()
