"""Sends the pharmacy's confirmations to the clinic, each until it is accepted."""

from __future__ import annotations

import heapq
import http.client
import time
from contextlib import closing
from dataclasses import dataclass, field
from threading import Condition, Thread
from urllib.parse import urlsplit

from telehealth.rehearsal.network.signing import HEADER, signature

SOON_SECONDS = 0.3
LONGEST_PAUSE_SECONDS = 30.0
REFUSALS_BORNE = 8
TIMEOUT_SECONDS = 10
WAITING_ROOM = 10_000


@dataclass(order=True)
class Pending:
    """One confirmation on its way."""

    due: float
    body: bytes = field(compare=False)
    tries: int = field(default=0, compare=False)
    refusals: int = field(default=0, compare=False)


class Confirmations:
    """A queue in memory and one thread. No answer or 5xx is tried again for ever, 4xx eight times."""

    def __init__(self, url: str, secret: bytes, soon: float = SOON_SECONDS) -> None:
        self._address, self._secret, self._soon = urlsplit(url), secret, soon
        self._line = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        self._queue: list[Pending] = []
        self._changed = Condition()
        self._open = True
        self._thread = Thread(target=self._work, name="confirmations", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join(timeout=1)

    def add(self, body: bytes) -> None:
        """Send this a moment from now. Without an address to reply to there is nobody to tell."""
        if self._address.netloc:
            self._put(Pending(time.monotonic() + self._soon, body))

    def _put(self, pending: Pending) -> None:
        with self._changed:
            if len(self._queue) < WAITING_ROOM:
                heapq.heappush(self._queue, pending)
                self._changed.notify()

    def _next(self) -> Pending | None:
        with self._changed:
            while self._open:
                wait = self._queue[0].due - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._queue)
                self._changed.wait(wait)
        return None

    def _work(self) -> None:
        while pending := self._next():
            code = self._post(pending.body)
            if 200 <= code < 300:
                continue
            pending.tries += 1
            pending.refusals += 400 <= code < 500
            if pending.refusals < REFUSALS_BORNE:
                pending.due = time.monotonic() + min(0.25 * 2 ** min(pending.tries, 10), LONGEST_PAUSE_SECONDS)
                self._put(pending)

    def _post(self, body: bytes) -> int:
        """The clinic's answer, or 0 without one. No proxy and no redirect: exactly the address we were given."""
        headers = {"Content-Type": "application/xml", HEADER: signature(self._secret, body)}
        try:
            with closing(self._line(self._address.netloc, timeout=TIMEOUT_SECONDS)) as line:
                line.request("POST", self._address.path or "/", body, headers)
                return line.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
