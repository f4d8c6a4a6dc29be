"""A connection to one address with one deadline for all that happens on it: naming, connecting, encrypting, every read."""

import io
import socket
import ssl
import time
from collections.abc import Callable, Collection
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple


class Slow(Exception):
    """The time is up."""


class Address(NamedTuple):
    """Where a name leads: one address of the machine behind it."""

    family: int
    ip: str
    port: int


Resolve = Callable[[str, int, float], Collection[Address]]
"""(host, port, seconds) -> addresses; none when the name is unknown."""


class Deadline:
    """So many seconds from now, whatever they are spent on."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def left(self) -> float:
        """What is left of it, or Slow."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise Slow
        return left


def look_up(host: str, port: int, seconds: float) -> Collection[Address]:
    """By the system's resolver, which knows no deadline of its own: it is left behind when ours has passed."""
    answers: SimpleQueue[list[Address]] = SimpleQueue()
    Thread(target=_look_up, args=(host, port, answers), daemon=True).start()
    try:
        return answers.get(timeout=seconds)
    except Empty as error:
        raise Slow from error


def _look_up(host: str, port: int, answers: "SimpleQueue[list[Address]]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        answers.put([])
    else:
        answers.put([Address(int(family), str(where[0]), int(where[1])) for family, _, _, _, where in found])


class Line(io.RawIOBase):
    """A connected socket that is asked for no more than what is left of the time."""

    def __init__(self, sock: socket.socket, until: Deadline) -> None:
        self.sock, self.until = sock, until

    @classmethod
    def to(cls, address: Address, until: Deadline, secure: ssl.SSLContext | None, host: str) -> "Line":
        """Connected to this very address; with `secure` also encrypted, and the other side has proved to be `host`."""
        sock = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            sock.settimeout(until.left())
            sock.connect((address.ip, address.port))
            if secure is not None:
                sock.settimeout(until.left())
                sock = secure.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
        return cls(sock, until)

    def makefile(self, mode: str) -> io.BufferedReader:
        """For `http.client`."""
        return io.BufferedReader(self)

    def send(self, said: bytes) -> None:
        self.sock.settimeout(self.until.left())
        self.sock.sendall(said)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.sock.settimeout(self.until.left())
        return self.sock.recv_into(buffer)

    def close(self) -> None:
        self.sock.close()
        super().close()
