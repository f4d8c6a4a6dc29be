"""Output that waits for the log: what has been opened is on record before a word of it is printed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

from audit.ledger import flush


class OnRecord:
    """A text stream whose every write comes after the unit's openings; EntryNotWritten, and nothing is printed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        flush()
        return self._stream.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def on_record() -> Iterator[None]:
    """Within, `print` and whatever else writes to stdout or stderr waits for the log."""
    with redirect_stdout(OnRecord(sys.stdout)), redirect_stderr(OnRecord(sys.stderr)):
        yield
