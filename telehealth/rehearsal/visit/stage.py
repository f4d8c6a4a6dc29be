"""Playing steps one after another: progress while they run, timings when they are done, the first failure ends it."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TextIO

import httpx
from websockets.exceptions import WebSocketException

from telehealth.rehearsal.visit.web import Failed

TICK = 0.1
WHEEL = "|/-\\"


@dataclass
class Step:
    """What was done, how long it took in seconds, and what came of it."""

    name: str
    seconds: float
    note: str = ""


@dataclass
class Note:
    """Filled in by a step while it runs: ids, codes and counts, no names."""

    text: str = ""


class Stopped(Exception):
    """A step failed: which one, and why."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}")
        self.step, self.reason = step, reason


@dataclass
class Stage:
    """Runs steps and remembers them. Draws on `out` when that is a terminal, else writes a line per step, or nothing."""

    out: TextIO | None = sys.stderr
    steps: list[Step] = field(default_factory=list)

    @asynccontextmanager
    async def step(self, name: str) -> AsyncIterator[Note]:
        """One step; whatever the servers do wrong in it becomes Stopped."""
        began, note = time.monotonic(), Note()
        wheel = asyncio.create_task(self._turn(name, began)) if self.out and self.out.isatty() else None
        try:
            yield note
        except (Failed, httpx.HTTPError, WebSocketException, OSError, TimeoutError, KeyError, TypeError, ValueError) as error:
            self._say(f"✗ {name}", end="\n")
            raise Stopped(name, _reason(error)) from error
        finally:
            if wheel:
                wheel.cancel()
        self.steps.append(Step(name, time.monotonic() - began, note.text))
        self._say(f"✓ {name} {self.steps[-1].seconds:.2f} s", end="\n")

    async def _turn(self, name: str, began: float) -> None:
        while True:
            passed = time.monotonic() - began
            self._say(f"{WHEEL[int(passed / TICK) % 4]} {name} {passed:.0f} s", end="")
            await asyncio.sleep(TICK)

    def _say(self, text: str, end: str) -> None:
        if self.out is not None:
            clear = "\r\x1b[K" if self.out.isatty() else ""
            self.out.write(f"{clear}{text}{end}")
            self.out.flush()


def _reason(error: Exception) -> str:
    if isinstance(error, Failed):
        return str(error)
    if isinstance(error, KeyError):
        return f"the reply has no {error}"
    if isinstance(error, httpx.HTTPError | OSError | WebSocketException):
        return f"the server does not answer as it should ({type(error).__name__})"
    return f"the reply is not understood ({type(error).__name__})"


def table(steps: list[Step]) -> str:
    """The steps with their timings, as lines of text."""
    wide = max((len(step.name) for step in steps), default=0)
    lines = [f"  {step.name:<{wide}}  {step.seconds:7.2f} s  {step.note}".rstrip() for step in steps]
    total = sum(step.seconds for step in steps)
    return "\n".join([*lines, f"  {'in all':<{wide}}  {total:7.2f} s"])
