"""Measuring so that a busy machine does not decide who wins."""

import statistics
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TypedDict

from django.core.handlers.wsgi import WSGIHandler


class Figure(TypedDict):
    """One line of the output; `goal` is None where a figure is only watched."""

    name: str
    value: float
    unit: str
    goal: float | None
    ok: bool


LESS_IS_BETTER = frozenset({"s", "ms", "us", "MB", "bytes", "statements", "times"})


def figure(name: str, value: float, unit: str, goal: float | None = None) -> Figure:
    """A figure meets its goal by staying below it where the unit is a cost, else by reaching it."""
    met = goal is None or (value <= goal if unit in LESS_IS_BETTER else value >= goal)
    return Figure(name=name, value=round(value, 3), unit=unit, goal=goal, ok=met)


def interleaved(contestants: Mapping[str, Callable[[], object]], *, rounds: int = 5, seconds: float = 0.5) -> dict[str, float]:
    """Calls per second of each, the median of rounds in which all take turns."""
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for contestant in contestants.values():
        contestant()  # warm
    for _ in range(rounds):
        for name, contestant in contestants.items():
            rates[name].append(_rate(contestant, seconds))
    return {name: statistics.median(found) for name, found in rates.items()}


def _rate(call: Callable[[], object], seconds: float) -> float:
    began, calls = time.perf_counter(), 0
    while (taken := time.perf_counter() - began) < seconds:
        call()
        calls += 1
    return calls / taken


def caller(address: str, token: str) -> Callable[[], bytes]:
    """GET of an address with a bearer token through the whole WSGI handler in this process; only client and network are missing."""
    path, _, query = address.partition("?")
    handler = WSGIHandler()
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "localhost", "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "https", "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {token}", "HTTP_ACCEPT": "application/json",
    }  # fmt: skip

    def call() -> bytes:
        told: list[str] = []
        reply = handler({**environ, "wsgi.input": BytesIO(), "wsgi.errors": BytesIO()}, lambda status, *_: told.append(status))
        body = b"".join(reply)
        reply.close()
        assert told[0].startswith("200"), told[0] + body.decode()[:200]
        return body

    return call
