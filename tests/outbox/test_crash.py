"""C10 with a real axe: workers are killed in the middle of deliveries, and nothing is lost."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connections, transaction
from pytest_django import Settings

from audit.ledger import uuid7
from telehealth.core import now
from telehealth.outbox import services
from telehealth.outbox.models import Message, State

ROOT = Path(__file__).resolve().parents[2]
ORDERS = 4
MESSAGES = 24
KILLED_AT = (3, 9, 10)


class Door(ThreadingHTTPServer):
    """Takes keys; at the `hold_at`-th it waits, so that the one who brings it can be killed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.came: list[str] = []
        self.hold_at = 0
        self.holding, self.release = Event(), Event()


class _Take(BaseHTTPRequestHandler):
    server: Door

    def do_POST(self) -> None:
        self.server.came.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if len(self.server.came) == self.server.hold_at:
            self.server.holding.set()
            self.server.release.wait(20)
            return  # its sender is dead
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@contextmanager
def door() -> Iterator[Door]:
    server = Door()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


def worker(task: object, **environment: str) -> "subprocess.Popen[bytes]":
    """A worker on this test's database, as the runtime role; `task` is the door's port, or `put`."""
    address = urlsplit(os.environ["DATABASE_URL"])
    url = urlunsplit(address._replace(path="/" + connections["default"].settings_dict["NAME"]))
    command = [sys.executable, "-m", "tests.outbox.worker", str(task)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url} | environment)


@pytest.mark.django_db(transaction=True)
def test_killed_workers_lose_nothing_and_keep_the_order(settings: Settings) -> None:
    settings.OUTBOX_HANDLERS = {"wire": "tests.outbox.worker.carry"}
    with transaction.atomic():
        put = [
            services.enqueue(destination="wire", kind="hello", object_id=uuid7(), ordering_key=str(number % ORDERS))
            for number in range(MESSAGES)
        ]
    with door() as server:
        for count in KILLED_AT:
            server.hold_at = count
            server.holding.clear()
            process = worker(server.server_port)
            assert server.holding.wait(20), "the worker got as far as that"
            process.kill()
            process.wait()
            assert Message.objects.filter(state=State.PENDING).count() >= MESSAGES - count + 1, "what was in its hands is pending"
            Message.objects.filter(state=State.PENDING).update(due_at=now() - timedelta(seconds=1))  # its lease is over
        last = worker(server.server_port)
        assert last.wait(20) == 0
        came = list(server.came)

    assert set(came) == {message.key for message in put}, "each came, and nothing else"
    assert len(came) <= MESSAGES + len(KILLED_AT), "again only what was in the hands of the dead"
    assert set(Message.objects.values_list("state", flat=True)) == {State.DELIVERED}
    for order in range(ORDERS):
        keys = [message.key for message in put if message.ordering_key == str(order)]
        assert list(dict.fromkeys(key for key in came if key in keys)) == keys


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_work(settings: Settings) -> None:
    settings.OUTBOX_HANDLERS = {"wire": "tests.outbox.worker.carry"}
    with transaction.atomic():
        for _ in range(40):
            services.enqueue(destination="wire", kind="hello", object_id=uuid7())
    with door() as server:
        workers = [worker(server.server_port), worker(server.server_port)]
        assert [each.wait(20) for each in workers] == [0, 0]
        assert len(server.came) == len(set(server.came)) == 40, "each leased by one of them only"


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_delays_and_loses_nothing(settings: Settings) -> None:
    settings.OUTBOX_HANDLERS = {"wire": "tests.outbox.worker.carry"}
    assert worker("put", REDIS_URL="redis://127.0.0.1:9/0").wait(30) == 0, "the commit stands without the broker"
    with door() as server:
        assert worker(server.server_port).wait(30) == 0
        assert server.came == ["put"]
