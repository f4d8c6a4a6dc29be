"""Which tiles a tree of a given size has, and its peaks out of them: where growing and copying a published log begin."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from audit.tlog.merkle import HASH_BYTES, Peaks, root_of
from audit.tlog.tiles import WIDTH, tile_path


def open_tiles_at(root: Path, size: int) -> list[list[bytes]] | None:
    """The unfinished tile of each level in a tree of that size, out of the files; None when one is missing or short."""
    levels: list[list[bytes]] = []
    while size >> 8 * len(levels):
        level = len(levels)
        tile = read_tile(root, level, size >> 8 * (level + 1), (size >> 8 * level) % WIDTH)
        if tile is None:
            return None
        levels.append(tile)
    return levels


def read_tile(root: Path, level: int, index: int, width: int) -> list[bytes] | None:
    """So many hashes of a tile, from its partial file or from the beginning of the full one."""
    if not width:
        return []
    for path in (root / tile_path(level, index, width), root / tile_path(level, index)):
        try:
            raw = path.read_bytes()[: width * HASH_BYTES]
        except (FileNotFoundError, NotADirectoryError):
            continue
        if len(raw) == width * HASH_BYTES:
            return [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]
    return None


def peaks_of(open_tiles: Sequence[list[bytes]], size: int) -> Peaks:
    """The peaks of a tree, out of its unfinished tiles: a tile of k hashes holds one subtree per set bit of k."""
    roots: list[bytes] = []
    for tile in reversed(open_tiles):
        start = 0
        for bit in (128, 64, 32, 16, 8, 4, 2, 1):
            if len(tile) & bit:
                roots.append(root_of(tile[start : start + bit]))
                start += bit
    return Peaks(size, roots)


def full_tiles(size: int, since: int = 0) -> Iterator[str]:
    """The paths of the tiles that are full in a tree of that size, without those that already were at `since`."""
    level = 0
    while size >> 8 * (level + 1):
        for index in range(since >> 8 * (level + 1), size >> 8 * (level + 1)):
            yield tile_path(level, index)
        level += 1


def partial_tiles(size: int) -> Iterator[str]:
    """The paths of the tiles that are not full in a tree of that size."""
    level = 0
    while size >> 8 * level:
        if width := (size >> 8 * level) % WIDTH:
            yield tile_path(level, size >> 8 * (level + 1), width)
        level += 1
