"""A bar on one line of a terminal; nothing where nobody looks."""

import sys
from typing import TextIO

WIDTH = 30


class Bar:
    """How far we are. `add` counts up, `close` ends the line."""

    def __init__(self, total: int, what: str, stream: TextIO | None = None) -> None:
        self.total, self.what, self.stream, self.done = max(total, 1), what, stream or sys.stderr, 0

    def add(self, count: int) -> None:
        self.done += count
        if self.stream.isatty():
            full = min(WIDTH, WIDTH * self.done // self.total)
            self.stream.write(f"\r{self.what} [{'#' * full}{'.' * (WIDTH - full)}] {self.done:,}/{self.total:,}")
            self.stream.flush()

    def close(self) -> None:
        if self.stream.isatty():
            self.stream.write("\n")
