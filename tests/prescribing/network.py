"""The outside-world process for tests: the real server on a free port, and a clinic's door that it replies to."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread

from telehealth.rehearsal.network.server import Network

SECRET = b"a secret of the two"


@contextmanager
def running(reply_to: str = "", port: int = 0) -> Iterator[Network]:
    """The network, served from a thread of this process."""
    network = Network(port, reply_to=reply_to, secret=SECRET)
    thread = Thread(target=network.run)
    thread.start()
    try:
        yield network
    finally:
        network.shutdown()
        thread.join()


def post(port: int, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    """One POST on a connection of its own; header names with underscores for dashes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


class Door(ThreadingHTTPServer):
    """What the network sees of a clinic: answers each POST with the next of the given codes, then with 200."""

    daemon_threads = True

    def __init__(self, codes: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.codes = codes
        self.came: Queue[tuple[bytes, str]] = Queue()


class _Answer(BaseHTTPRequestHandler):
    server: Door

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.codes.pop(0) if self.server.codes else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.came.put((body, self.headers["X-Network-Signature"]))

    def log_message(self, *args: object) -> None:
        """Quiet."""


@contextmanager
def door(*codes: int) -> Iterator[Door]:
    server = Door(list(codes))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
