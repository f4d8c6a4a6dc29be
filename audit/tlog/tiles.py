"""The tree outside the database: C2SP `tlog-tiles` (hashes only) and every signed checkpoint, as files.

The database's leaf table is the truth while it is whole; these files are what shows that it no longer is. Tiles are
written before the checkpoint that needs them, each to a temporary name and then renamed.
"""

import os
from collections.abc import Iterable, Iterator
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


def write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".new")
    half.write_bytes(content)
    half.replace(path)


class Tiles:
    """Writes tiles as leaves come; `open_tiles[level]` holds the hashes of the tile that is not full yet."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.size = 0
        self.open_tiles: list[list[bytes]] = []

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
        write(self.root / tile_path(level, index), b"".join(tile))
        above = Peaks()
        for each in tile:
            above.append(each)
        self.open_tiles[level] = []
        self._add(level + 1, above.root(), index)

    def settle(self) -> None:
        """Write the partial tiles of the current size."""
        for level, tile in enumerate(self.open_tiles):
            if tile:
                index = (self.size >> 8 * level) // WIDTH
                write(self.root / tile_path(level, index, len(tile)), b"".join(tile))

    def newest(self) -> str:
        """The checkpoint published last, or nothing."""
        try:
            return (self.root / "checkpoint").read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def publish(self, note: str) -> None:
        """The newest checkpoint under its fixed name, and all of them in one append-only file."""
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.root / "checkpoints.log", "a", encoding="utf-8") as file:
            file.write(note + "\n")
            file.flush()
            os.fsync(file.fileno())
        write(self.root / "checkpoint", note.encode())


def notes_in(lines: Iterable[str]) -> Iterator[str]:
    """The notes of a file of checkpoints, in its order. A half-written last one is left out."""
    note: list[str] = []
    for line in lines:
        if line == "\n" and note and note[-1].startswith("— "):
            yield "".join(note)
            note = []
        else:
            note.append(line)
