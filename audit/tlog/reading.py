"""A published log as its readers see it: a folder or an address with `checkpoint`, `checkpoints.log`, `public-key` and tiles."""

from collections import OrderedDict
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from audit.tlog.merkle import HASH_BYTES, node_hash
from audit.tlog.proofs import Nodes
from audit.tlog.tiles import WIDTH, notes_in, tile_path

KEPT_TILES = 64
SECONDS = 10
KEY_BYTES = 32


class Unpublished(Exception):
    """The folder or address does not hold what was asked for."""


class TileReader:
    """Reads what a sealer published. `source` is a folder or an http(s) address; `token` opens a guarded address."""

    def __init__(self, source: Path | str, token: str = "") -> None:
        self.source = source if isinstance(source, Path) or "://" in source else Path(source)
        self.token = token
        self._kept: OrderedDict[tuple[int, int, int], list[list[bytes]]] = OrderedDict()

    def checkpoint(self) -> str:
        """The newest note."""
        return self._text("checkpoint")

    def public_key(self) -> bytes:
        """The key that the log itself names: compare it with one that came another way."""
        try:
            key = bytes.fromhex(self._text("public-key").strip())
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise Unpublished("public-key is not 32 bytes in hex")
        return key

    def notes(self) -> Iterator[str]:
        """Every checkpoint ever published, in the order in which they were."""
        if isinstance(self.source, Path):
            try:
                with (self.source / "checkpoints.log").open(encoding="utf-8", errors="replace") as lines:
                    yield from notes_in(lines)
            except (FileNotFoundError, NotADirectoryError):
                return
        else:
            yield from notes_in(self._text("checkpoints.log", "").splitlines(keepends=True))

    def nodes(self, size: int) -> Nodes:
        """The subtree hashes of the tree of `size` leaves, for making proofs."""
        return lambda level, index: self.node(level, index, size)

    def leaf(self, index: int, size: int) -> bytes | None:
        """The leaf hash at `index` in the tree of `size` leaves, None when no tile holds it."""
        try:
            return self.node(0, index, size)
        except Unpublished:
            return None

    def node(self, level: int, index: int, size: int) -> bytes:
        """The hash of one perfect subtree of the tree of `size` leaves, or Unpublished."""
        floor, inside = divmod(level, 8)
        tile, at = divmod(index << inside, WIDTH)
        rows = self._tile(floor, tile, size >> 8 * floor)
        row = rows[inside] if inside < len(rows) else []
        if at >> inside >= len(row):
            raise Unpublished(f"tile {floor}/{tile} is too short")
        return row[at >> inside]

    def _tile(self, floor: int, index: int, width: int) -> list[list[bytes]]:
        """The tile's hashes, and above them those of the subtrees within it, row by row."""
        need = min(width - index * WIDTH, WIDTH)
        key = (floor, index, need)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = _rows(self._raw(floor, index, need))
            if len(self._kept) > KEPT_TILES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found

    def _raw(self, floor: int, index: int, need: int) -> bytes:
        """The full tile where there is one (partial ones may have been cleared away by then), else the partial one."""
        for width in dict.fromkeys((WIDTH, need)):
            raw = self._read(tile_path(floor, index, width))
            if raw is not None:
                return raw[: need * HASH_BYTES]
        if isinstance(self.source, Path):
            folder = (self.source / tile_path(floor, index, need)).parent
            wider = sorted(int(file.name) for file in folder.glob("*") if file.name.isdigit() and int(file.name) > need)
            if wider:
                return (folder / str(wider[0])).read_bytes()[: need * HASH_BYTES]
        raise Unpublished(f"tile {floor}/{index} is not published")

    def _text(self, name: str, otherwise: str | None = None) -> str:
        found = self._read(name)
        if found is None and otherwise is None:
            raise Unpublished(f"{name} is not published")
        return (found or b"").decode(errors="replace")

    def _read(self, name: str) -> bytes | None:
        if isinstance(self.source, Path):
            try:
                return (self.source / name).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None
        if not self.source.lower().startswith(("https://", "http://")):
            raise Unpublished("an address of a log begins with https:// or http://")
        try:
            request = Request(f"{self.source.rstrip('/')}/{name}")  # noqa: S310  # the scheme is checked above
            if self.token:  # for this address alone, not for where it may redirect to
                request.add_unredirected_header("Authorization", f"Bearer {self.token}")
            with urlopen(request, timeout=SECONDS) as reply:  # noqa: S310
                content: bytes = reply.read()
                return content
        except HTTPError as error:
            if error.code == 404:
                return None
            raise Unpublished(f"{name}: the server answers {error.code}") from error
        except (OSError, HTTPException, ValueError) as error:  # the last of an address that is none
            raise Unpublished(f"{name}: the server does not answer") from error


def _rows(raw: bytes) -> list[list[bytes]]:
    row = [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]
    rows = [row]
    while len(row) > 1:
        pairs = iter(row)
        row = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=False)]
        rows.append(row)
    return rows
