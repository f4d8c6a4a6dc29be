"""Checkpoints beside the leaves: those kept outside and those of the database, in the order of their sizes."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from audit.ledger.verification.pieces import Note
from audit.ledger.verification.report import Report
from audit.ledger.verification.sessions import Session
from audit.tlog.reading import TileReader, Unpublished
from audit.tlog.tiles import notes_in

_DATABASE = """
    SELECT tree_size, note, (extract(epoch FROM made_at) * 1000)::bigint FROM public.audit_checkpoint
    WHERE tree_size >= %s ORDER BY tree_size
"""
LARGEST = 1 << 62
CLOCK_MS = 60_000  # as much as an entry may be off when it is written


class Outside:
    """What was kept outside the database: a folder, an address, or a file of notes (tiles are then the local ones)."""

    def __init__(self, reader: TileReader, file: Path | None = None, *, named: bool = True) -> None:
        self.reader = reader
        self.file = file
        self.named = named  # somebody said where it is: then holding the log against nothing is no verification

    @classmethod
    def of(cls, source: Path | str | None, local: Path, token: str = "") -> "Outside":
        """For `--against`; without it, what the sealer published here."""
        if source is None:
            return cls(TileReader(local), named=False)
        if "://" in str(source):
            return cls(TileReader(str(source), token))
        path = Path(source)
        if not path.exists():
            raise FileNotFoundError(path)
        return cls(TileReader(local), path) if path.is_file() else cls(TileReader(path))

    def notes(self) -> Iterator[str]:
        """Every checkpoint kept, in the order of the file; Unpublished where it is said that some are, and none is."""
        last = ""
        for last in self._notes():
            yield last
        if self.named and not last:
            raise Unpublished("no checkpoint is kept there")

    def _notes(self) -> Iterator[str]:
        """The newest also where only that one was kept."""
        if self.file:
            yield from notes_in([*_text_of(self.file).splitlines(keepends=True), "\n"])
            return
        kept = self.reader.notes()
        try:
            newest = self.reader.checkpoint()
        except Unpublished:
            newest = ""
        last = ""
        for last in kept:
            yield last
        if newest and newest != last:
            yield newest

    def leaf(self, index: int) -> bytes | None:
        """The leaf hash that was published for this place, None where none is known."""
        return self.reader.leaf(index, self._published) if index < self._published else None

    @cached_property
    def _published(self) -> int:
        try:
            return size_of(self.reader.checkpoint())
        except (Unpublished, ValueError):
            return 0


class Heads:
    """Merges both rows of notes; what is out of order in them is damage."""

    def __init__(self, outside: Outside, session: Session, since: int, report: Report) -> None:
        self.report = report
        self.since = since
        self.newest_outside = 0
        self._rows = {True: self._outside(outside.notes()), False: self._inside(session)}
        self._next: dict[bool, Note | None] = {side: next(row, None) for side, row in self._rows.items()}

    def upto(self, size: int) -> list[Note]:
        """The notes up to that size that have not been given out; one text twice is one note."""
        found: dict[str, Note] = {}
        for side, row in self._rows.items():
            while (note := self._next[side]) and note.size <= size:
                outside = note.outside or note.text in found
                found[note.text] = Note(note.size, note.text, outside, note.made_ms)
                self._next[side] = next(row, None)
        return sorted(found.values(), key=lambda each: each.size)

    def rest(self) -> list[Note]:
        """The notes about sizes that the leaves do not reach."""
        return self.upto(LARGEST)

    def _outside(self, texts: Iterator[str]) -> Iterator[Note]:
        last = ""
        for text in texts:
            size = self._size(text)
            if size is None or text == last:
                continue
            if size < self.newest_outside:
                self.report.found("rolled-back checkpoint", f"size {size} after {self.newest_outside}", size)
                continue
            self.newest_outside, last = size, text
            if size >= self.since:
                yield Note(size, text, True)

    def _inside(self, session: Session) -> Iterator[Note]:
        with session.cursor("heads") as cursor:
            cursor.itersize = 2_000
            cursor.execute(_DATABASE, [self.since])
            newest_ms = 0
            for size, text, made_ms in cursor:
                if self._size(text) != size:
                    self.report.found("malformed checkpoint", f"size {size}", size)
                    continue
                if made_ms < newest_ms - CLOCK_MS:
                    self.report.found("clock backwards", f"checkpoint of size {size}", size)
                newest_ms = max(made_ms, newest_ms)
                yield Note(size, text, False, made_ms)

    def _size(self, text: str) -> int | None:
        try:
            return size_of(text)
        except ValueError:
            self.report.found("malformed checkpoint", text[:40])
            return None


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Unpublished(f"{file.name} is no text") from error


def size_of(note: str) -> int:
    """What a note says its size is, or ValueError."""
    lines = note.split("\n", 2)
    if len(lines) < 3 or not lines[1].isdecimal() or len(lines[1]) > 18:
        raise ValueError("malformed checkpoint")
    return int(lines[1])
