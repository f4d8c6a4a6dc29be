"""Where a sealer begins: the tree that was published last, proved to be the beginning of the one in the database.

A sealer that took the database's word would sign whatever its owner made of it while nobody looked. So the newest
published checkpoint is opened with our own key, the tree is led on from its tiles with the leaves that the table has
above it, and what comes out must be the root that the database gives. Only a few tiles are read for that; when some
are missing, all are made anew from the leaf table, which must pass through the published root on the way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from audit.ledger.errors import Forked
from audit.ledger.keys import signer
from audit.tlog.merkle import HASH_BYTES, Peaks
from audit.tlog.notes import BadCheckpoint, Head, opened
from audit.tlog.outline import full_tiles, open_tiles_at, peaks_of
from audit.tlog.tiles import WIDTH, Tiles, size_of, write

PAGE = 10_000
_LAST = "SELECT tree_size, peaks, mark, note FROM audit_checkpoint ORDER BY tree_size DESC LIMIT 1"
_CLUSTER = "SELECT system_identifier::text, pg_snapshot_xmax(pg_current_snapshot())::text FROM pg_control_system()"
_LEAVES = """
    DECLARE leaves NO SCROLL CURSOR FOR
    SELECT leaf_hash FROM audit_leaf WHERE leaf_index >= %s AND leaf_index < %s ORDER BY leaf_index
"""


@dataclass(slots=True)
class Begun:
    """The tree as it stands; `mark`: every visible entry of a smaller transaction id is in it ("0" when nobody knows)."""

    tiles: Tiles
    peaks: Peaks
    mark: str


def begin(root: Path) -> Begun:
    """Take up the work in this directory, or raise Forked."""
    peaks, mark, note = stored()
    tiles = _led_on(root, _published(root, peaks.size), peaks)
    tiles.settle()
    write(root / "public-key", signer().public_key().hex().encode())
    if note:
        tiles.publish(note)  # the last process may have ended between commit and publication
    return Begun(tiles, peaks, "0" if _elsewhere(root, mark) else mark)


def stored() -> tuple[Peaks, str, str]:
    """The last checkpoint of the database: its tree, mark and note."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST)
        row = cursor.fetchone()
    if row is None:
        return Peaks(), "0", ""
    return Peaks.from_bytes(row[0], bytes(row[1])), row[2], row[3]


def set_aside(root: Path) -> int:
    """Keep what was published of a history that the database no longer has, under its size; the size, 0 for none."""
    note = Tiles(root).newest()
    if not note:
        return 0
    size = size_of(note)
    kept = root / "superseded" / str(size)
    kept.mkdir(parents=True, exist_ok=True)
    for name in ("checkpoint", "checkpoints.log", "tile"):
        if (root / name).exists() and not (kept / name).exists():
            (root / name).rename(kept / name)
    return size


def _published(root: Path, stored_size: int) -> Head | None:
    note = Tiles(root).newest()
    if not note:
        return None
    try:
        head = opened(note, settings.AUDIT_ORIGIN, signer().public_key())
    except BadCheckpoint as error:
        raise Forked(f"the published checkpoint is not ours: {error}", published=0, stored=stored_size) from error
    if head.size > stored_size:
        raise Forked("the database was rolled back: more was published than it has", published=head.size, stored=stored_size)
    return head


def _led_on(root: Path, head: Head | None, peaks: Peaks) -> Tiles:
    """Tiles up to the database's size, from the published ones or all anew."""
    tiles, grown = _from_files(root, head) or (Tiles(root), Peaks())
    for leaf in _leaves(tiles.size, peaks.size):
        tiles.append(leaf)
        grown.append(leaf)
        if head and grown.size == head.size and grown.root() != head.root:
            break
    if grown.size != peaks.size or grown.root() != peaks.root():
        published = head.size if head else 0
        raise Forked("the leaves of the database do not lead on from what was published", published=published, stored=peaks.size)
    return tiles


def _from_files(root: Path, head: Head | None) -> tuple[Tiles, Peaks] | None:
    if head is None or any(_length(root / path) != WIDTH * HASH_BYTES for path in full_tiles(head.size)):
        return None
    open_tiles = open_tiles_at(root, head.size)
    if open_tiles is None:
        return None
    grown = peaks_of(open_tiles, head.size)
    return (Tiles(root, head.size, open_tiles), grown) if grown.root() == head.root else None


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def _leaves(first: int, end: int) -> Iterator[bytes]:
    if first == end:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LEAVES, [first, end])
        while True:
            cursor.execute(f"FETCH {PAGE} FROM leaves")
            rows = cursor.fetchall()
            yield from (bytes(leaf) for (leaf,) in rows)
            if len(rows) < PAGE:
                return


def _elsewhere(root: Path, mark: str) -> bool:
    """Whether transaction ids have begun anew since the mark was made: a dump was restored into another cluster."""
    with connection.cursor() as cursor:
        cursor.execute(_CLUSTER)
        cluster, newest = cursor.fetchone()
    known = root / "cluster"
    if known.exists() and known.read_text() == cluster:
        return int(mark) > int(newest)
    write(known, cluster.encode())
    return True
