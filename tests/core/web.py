"""Web servers on loopback that answer whatever a test wants, and a name server for whom every name stands for what it is told."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from pytest_django import Settings

from telehealth.core.lines import Address

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/calendar\r\n"
Talk = Callable[[socket.socket, bytes], None]


@contextmanager
def server(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Answers each connection on loopback with `talk`, and keeps what it was asked."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as end:

        def serve() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                    line = tls.wrap_socket(line, server_side=True) if tls else line
                    heard.append(line.recv(65_536))
                    talk(line, heard[-1])
                    line.close()
                except ssl.SSLError:
                    continue
                except OSError:
                    if listening.fileno() < 0 or ended.is_set():
                        return

        ended = threading.Event()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        end.callback(thread.join, 5)
        end.callback(listening.shutdown, socket.SHUT_RDWR)
        end.callback(ended.set)
        yield listening.getsockname()[1], heard


def says(reply: bytes) -> Talk:
    return lambda line, _: line.sendall(reply)


def leads_to(*ips: str) -> Callable[[str, int, float], list[Address]]:
    """A name server for whom every name stands for these."""
    return lambda host, port, seconds: [Address(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip, port) for ip in ips]


def trust(settings: Settings, *places: str) -> None:
    settings.OUTBOUND_TRUSTED = list(places)
