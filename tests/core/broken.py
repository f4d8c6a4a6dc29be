"""Applications that fail with a value in their exception, for the servers that must not print it."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import Any

from config.asgi import application as _ours  # so that the settings' logs are what the server has
from config.celery import app

CANARY = "Canary-in-the-Servers-Words"
assert _ours


class Answer:
    """A body that breaks off."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"begun"
        raise ValueError(CANARY)


def wsgi(environ: dict[str, Any], start_response: Any) -> Any:
    """Fails at once, or in the middle of its body."""
    if environ["PATH_INFO"] == "/at-once":
        raise ValueError(CANARY)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Answer()


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Fails, and leaves a task behind that fails unheard."""
    task = asyncio.ensure_future(_fail())
    await asyncio.wait([task])
    del task
    raise ValueError(CANARY)


async def _fail() -> None:
    raise LookupError(CANARY)


@app.task(name="tests.core.broken.fail")
def fail(what: str) -> None:
    """A task that prints, and fails in a thread and by itself."""
    print(what)  # noqa: T201  # a careless line
    thread = threading.Thread(target=_raise)
    thread.start()
    thread.join()
    raise ValueError(what)


def _raise() -> None:
    raise KeyError(CANARY)


if __name__ == "__main__":
    sys.exit(sum(1 for _ in Answer()))
