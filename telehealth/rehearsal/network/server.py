"""The HTTP face of the outside world. Loopback only, nothing on disk, nothing in a log."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from telehealth.rehearsal.network import catcher, script
from telehealth.rehearsal.network.catcher import Catcher
from telehealth.rehearsal.network.confirming import Confirmations
from telehealth.rehearsal.network.pharmacy import Pharmacy
from telehealth.rehearsal.network.signing import HEADER, is_signed

LARGEST_BODY = 1024 * 1024
LARGEST_PASSED_OVER = 32 * LARGEST_BODY
XML, JSON = "application/xml", "application/json"


class Network(ThreadingHTTPServer):
    """One pharmacy desk, one catcher. `/script` takes signed bodies only."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, *, reply_to: str, secret: bytes) -> None:
        super().__init__(("127.0.0.1", port), Wire)
        self.secret = secret
        self.catcher = Catcher()
        self.confirmations = Confirmations(reply_to, secret)
        self.pharmacy = Pharmacy(self.confirmations.add)

    def run(self) -> None:
        """Serve until `shutdown()` is called from another thread."""
        self.confirmations.start()
        try:
            self.serve_forever(poll_interval=0.1)
        finally:
            self.confirmations.stop()
            self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is nobody's business, and a traceback could quote a body."""


class Wire(BaseHTTPRequestHandler):
    """One connection: reads a bounded body, asks the desk or the catcher, answers."""

    server: Network
    protocol_version = "HTTP/1.1"
    server_version = "outside-world"
    sys_version = ""
    timeout = 15

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._say(200, b'{"status": "ok"}', JSON)
        elif self.path == "/outbox":
            self._say(200, json.dumps(self.server.catcher.messages()).encode(), JSON)
        else:
            self._refuse(404, "not_found")

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path == "/script":
            self._script(body)
        elif self.path in ("/mail", "/sms"):
            self._catch("email" if self.path == "/mail" else "sms", body)
        else:
            self._refuse(404, "not_found")

    def _script(self, body: bytes) -> None:
        if not is_signed(self.server.secret, body, self.headers.get(HEADER, "")):
            self._say(401, script.error("900", "003"), XML)
            return
        try:
            self._say(200, self.server.pharmacy.take(body), XML)
        except script.Malformed:
            self._say(400, script.error("900"), XML)

    def _catch(self, channel: str, body: bytes) -> None:
        try:
            self.server.catcher.take(channel, body, self.headers.get("Idempotency-Key", ""))
        except catcher.Malformed:
            self._refuse(400, "malformed")
        else:
            self._say(202, b"{}", JSON)

    def _body(self) -> bytes | None:
        """The whole body, or None after a refusal: the length must be told and within bounds before we read."""
        told = self.headers.get("Content-Length", "")
        if not told.isascii() or not told.isdigit():
            self._refuse(411, "length_required")
        elif int(told) > LARGEST_BODY:
            self._pass_over(min(int(told), LARGEST_PASSED_OVER))
            self._refuse(413, "too_large")
        else:
            return self.rfile.read(int(told))
        return None

    def _pass_over(self, length: int) -> None:
        """Read and forget, so that the sender is done sending when our refusal arrives."""
        while length > 0 and (piece := self.rfile.read(min(length, 65536))):
            length -= len(piece)

    def _refuse(self, code: int, reason: str) -> None:
        self.close_connection = True
        self._say(code, json.dumps({"code": reason}).encode(), JSON)

    def _say(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a log line would carry addresses."""
