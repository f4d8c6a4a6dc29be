"""The web servers: `demo` (one port for all, loopback), and the production pair `http` (granian) and `ws` (uvicorn)."""

import errno
import os
import signal
import socket
import sys
from typing import Final, NoReturn

import uvicorn
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.embedded.process import spawn

LOGS: Final = env.BASE_DIR / "config" / "granian.json"  # our formatter: granian's own prints what an exception says
LOOPBACK: Final = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


class PortInUse(Exception):
    """Somebody else listens there."""


def listen_on_loopback(port: int) -> list[socket.socket]:
    """Listen on localhost, in both its forms where the machine has both, or raise PortInUse."""
    sockets: list[socket.socket] = []
    for family, address in LOOPBACK.items():
        try:
            listener = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue  # no IPv6 here
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            listener.bind((address, port))
            listener.listen(2048)
        except OSError as error:
            listener.close()
            if family == socket.AF_INET6 and error.errno == errno.EADDRNOTAVAIL:  # IPv6 is compiled in and switched off
                continue
            for other in sockets:
                other.close()
            raise PortInUse(f"port {port} cannot be used ({error.strerror}): set PORT to another") from None
        sockets.append(listener)
    return sockets


def demo() -> None:
    """HTTP and WebSocket of a demonstration on one port, never beyond loopback."""
    if not env.flag("TELEHEALTH_DEMO"):
        raise ImproperlyConfigured("this server is for demonstrations: use `make serve-http` and `make serve-ws`")
    config = uvicorn.Config("config.asgi:application", log_config=None, access_log=False, lifespan="off", ws="websockets-sansio")
    uvicorn.Server(config).run(sockets=listen_on_loopback(env.number("PORT", 8000)))


def ws(application: str = "config.asgi:application") -> None:
    """The WebSocket side of production."""
    uvicorn.run(
        application,
        host=env.text("HOST", "127.0.0.1"),
        port=env.number("PORT", 8001),
        workers=env.number("WORKERS", 1),
        access_log=False,
        log_config=None,  # ours, from the settings: uvicorn's own prints what an exception says
        lifespan="off",
        ws="websockets-sansio",
        server_header=False,
    )


def http(application: str = "config.wsgi:application") -> NoReturn:
    """The HTTP side of production."""
    workers, threads = env.number("WORKERS", os.cpu_count() or 2), env.number("THREADS", 4)
    argv = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", env.text("HOST", "127.0.0.1")]
    argv += ["--port", str(env.number("PORT", 8000)), "--workers", str(workers), "--blocking-threads", str(threads)]
    argv += ["--workers-kill-timeout", "3", "--no-ws", "--log-config", str(LOGS), application]
    # granian hangs when Ctrl-C reaches its workers too: it gets a group of its own, and one SIGTERM from us.
    child = spawn(argv, log=None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: child.terminate())
    sys.exit(max(0, child.wait()))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        {"demo": demo, "http": http, "ws": ws}[sys.argv[1]]()
    except (ImproperlyConfigured, PortInUse) as error:
        sys.exit(str(error))
