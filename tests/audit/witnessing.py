"""The project's own web application on a loopback port, over the test database: what a witness reaches, and whoever verifies from afar."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr, which the tests read."""


@contextmanager
def served(application: Callable[..., Iterable[bytes]]) -> Iterator[str]:
    """A WSGI application, until the block ends; its address."""
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        thread = threading.Thread(target=_serve, args=(server,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _serve(server: Any) -> None:
    try:
        server.serve_forever(poll_interval=0.05)
    finally:
        connections.close_all()  # this thread's own


def clinic() -> Callable[..., Iterable[bytes]]:
    """The whole of it, middleware and all, behind what ends TLS."""
    handler = WSGIHandler()

    def behind(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        return handler({**environ, "wsgi.url_scheme": "https"}, start)

    return behind
