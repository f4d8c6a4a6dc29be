"""A small stand-in for HashiCorp Vault's transit engine: its documented HTTP shapes, and the ways in which it fails."""

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "hvs.a-token-of-the-tests"


class FakeTransit(ThreadingHTTPServer):
    """`asked` lists the operations that were served; `sealed` answers 503 as a sealed Vault does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key = AESGCM(os.urandom(32))
        self.asked: list[str] = []
        self.sealed = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeTransit

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = self._answer(body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_PUT = do_POST

    def _answer(self, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.server.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if self.headers.get("X-Vault-Token") != TOKEN:
            return 403, {"errors": ["permission denied"]}
        *_, operation, _name = self.path.split("/")
        bound = base64.b64decode(body.get("associated_data", ""))
        self.server.asked.append(operation)
        if operation == "encrypt":
            nonce = os.urandom(12)
            sealed = nonce + self.server.key.encrypt(nonce, base64.b64decode(body["plaintext"]), bound)
            return 200, {"data": {"ciphertext": f"vault:v1:{base64.b64encode(sealed).decode()}", "key_version": 1}}
        try:
            sealed = base64.b64decode(body["ciphertext"].removeprefix("vault:v1:"), validate=True)
            plaintext = self.server.key.decrypt(sealed[:12], sealed[12:], bound)
        except (InvalidTag, ValueError):
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(plaintext).decode()}}

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def fake_transit() -> Iterator[FakeTransit]:
    """One, listening on loopback until the block ends."""
    with FakeTransit() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
