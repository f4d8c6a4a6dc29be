"""The tree outside the database: C2SP `tlog-tiles` (hashes only) and every signed checkpoint, as files.

The database's leaf table is the truth while it is whole; these files are what shows that it no longer is. Tiles are
written before the checkpoint that needs them, each to a temporary name and then renamed.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from audit.tlog.merkle import Peaks

WIDTH = 256


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """tile/<L>/<N>[.p/<W>], N in groups of three digits, all but the last prefixed with x."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def write(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Whole or not at all; what is lasting is on the disk before anything that is written later."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".new")
    with open(half, "wb") as file:
        file.write(content)
        if lasting:
            file.flush()
            os.fsync(file.fileno())
    half.replace(path)


class Tiles:
    """Writes tiles as leaves come; `open_tiles[level]` holds the hashes of the tile that is not full yet."""

    def __init__(self, root: Path, size: int = 0, open_tiles: Sequence[list[bytes]] = ()) -> None:
        self.root = root
        self.size = size
        self.open_tiles = list(open_tiles)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash; full tiles are written at once, partial ones by `settle`."""
        self._add(0, leaf, self.size)
        self.size += 1

    def _add(self, level: int, node: bytes, position: int) -> None:
        if level == len(self.open_tiles):
            self.open_tiles.append([])
        tile = self.open_tiles[level]
        tile.append(node)
        if len(tile) < WIDTH:
            return
        index = position // WIDTH
        path = self.root / tile_path(level, index)
        write(path, b"".join(tile))
        shutil.rmtree(path.with_name(path.name + ".p"), ignore_errors=True)  # the full tile says all that its parts said
        above = Peaks()
        for each in tile:
            above.append(each)
        self.open_tiles[level] = []
        self._add(level + 1, above.root(), index)

    def settle(self) -> None:
        """Write the partial tiles of the current size. After a power cut one may be torn: who goes on from them checks their root."""
        for level, tile in enumerate(self.open_tiles):
            if tile:
                index = (self.size >> 8 * level) // WIDTH
                write(self.root / tile_path(level, index, len(tile)), b"".join(tile), lasting=False)

    def newest(self) -> str:
        """The checkpoint published last, or nothing."""
        try:
            return (self.root / "checkpoint").read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def publish(self, note: str) -> None:
        """The newest checkpoint under its fixed name, and all of them in one append-only file. Never back to a smaller tree."""
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.root / "checkpoints.log", "a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # another machine's sealer, where a pooler has dropped its advisory lock
            if size_of(note) <= size_of(self.newest()):
                return
            file.write(f"{_line_end(file.fileno())}{note}\n")
            file.flush()
            os.fsync(file.fileno())
            write(self.root / "checkpoint", note.encode())


def size_of(note: str) -> int:
    """The tree size that a note speaks of; -1 for what is no note."""
    lines = note.split("\n", 2)
    return int(lines[1]) if len(lines) > 2 and lines[1].isdigit() else -1


def notes_in(lines: Iterable[str]) -> Iterator[str]:
    """The notes of a file of checkpoints, in its order. What a power cut has left of one is passed over."""
    note: list[str] = []
    for line in lines:
        if line == "\n" and note and note[-1].startswith("— "):
            yield "".join(note[_beginning(note) :])
            note = []
        else:
            note.append(line)


def _beginning(note: list[str]) -> int:
    """Origin, size and root stand before the empty line above the signatures; what precedes them is the rest of another."""
    blank = len(note) - 1
    while blank and note[blank] != "\n":
        blank -= 1
    return max(blank - 3, 0)


def _line_end(file: int) -> str:
    """What a note needs before it, so that it does not go on with a line that was torn."""
    size = os.fstat(file).st_size
    return "\n" if size and os.pread(file, 1, size - 1) != b"\n" else ""
