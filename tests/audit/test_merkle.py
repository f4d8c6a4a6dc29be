"""The tree against RFC 6962's own definitions and published vectors; checkpoints against forgeries."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.merkle import EMPTY_ROOT, Peaks, leaf_hash, node_hash, root_of
from audit.tlog.notes import BadCheckpoint, Head, opened, signed
from audit.tlog.reading import TileReader
from audit.tlog.tiles import Tiles, tile_path

# The test vectors of certificate transparency's reference implementation.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as section 2.1 writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


@pytest.mark.parametrize("count", range(1, 9))
def test_published_vectors(count: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES[:count]]
    assert root_of(leaves).hex() == ROOTS[count - 1]


def test_the_empty_tree() -> None:
    assert Peaks().root() == EMPTY_ROOT == naive_root([])


@given(st.lists(st.binary(max_size=8), max_size=70), st.data())
def test_growing_by_peaks_is_the_definition(entries: list[bytes], data: st.DataObject) -> None:
    leaves = [leaf_hash(entry) for entry in entries]
    stop = data.draw(st.integers(0, len(leaves)))
    peaks = Peaks()
    for leaf in leaves[:stop]:
        peaks.append(leaf)
    resumed = Peaks.from_bytes(stop, peaks.to_bytes())
    for leaf in leaves[stop:]:
        resumed.append(leaf)
    assert resumed.root() == naive_root(leaves)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 70_000))
def test_tiles_hold_every_leaf_whatever_the_size(size: int) -> None:
    with TemporaryDirectory() as folder:
        tiles = Tiles(Path(folder))
        leaves = [hashlib.sha256(str(number).encode()).digest() for number in range(size)]
        for leaf in leaves:
            tiles.append(leaf)
        tiles.settle()
        for index in {0, size // 2, size - 256, size - 1} & set(range(size)):
            assert TileReader(Path(folder)).leaf(index, size) == leaves[index]


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [(0, 0, 256, "tile/0/000"), (0, 1234067, 256, "tile/0/x001/x234/067"), (1, 5, 7, "tile/1/005.p/7")],
)
def test_tile_paths_are_those_of_c2sp(level: int, index: int, width: int, path: str) -> None:
    assert tile_path(level, index, width) == path


class OneKey:
    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)

    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()


HEAD = Head("clinic.example/audit", 42, hashlib.sha256(b"root").digest())


def test_a_signed_checkpoint_opens_to_the_same_head() -> None:
    key = OneKey()
    assert opened(signed(HEAD, key), HEAD.origin, key.public_key()) == HEAD


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("\n42\n", "\n43\n", "foreign signature"),
        ("\n42\n", "\n042\n", "malformed"),
        ("clinic.example/audit\n", "other.example/audit\n", "foreign origin"),
        ("— ", "- ", "malformed"),
        ("\n\n", "\n", "malformed"),
    ],
)
def test_a_changed_checkpoint_is_refused(old: str, new: str, complaint: str) -> None:
    key = OneKey()
    with pytest.raises(BadCheckpoint, match=complaint):
        opened(signed(HEAD, key).replace(old, new, 1), HEAD.origin, key.public_key())


def test_another_key_is_refused() -> None:
    with pytest.raises(BadCheckpoint, match="foreign signature"):
        opened(signed(HEAD, OneKey()), HEAD.origin, OneKey().public_key())


@given(st.text(max_size=200))
def test_any_text_is_opened_or_refused_never_worse(text: str) -> None:
    with pytest.raises(BadCheckpoint):
        opened(text, HEAD.origin, b"\x00" * 32)


def test_a_note_that_a_power_cut_has_torn_takes_no_other_note_with_it(tmp_path: Path) -> None:
    """Wherever it was cut off, in the middle of a letter too: what was whole is read, what follows is, and nothing else."""
    key = OneKey()
    first, torn, after = (signed(Head(HEAD.origin, size, HEAD.root), key) for size in (41, 42, 43))
    for cut in range(len(torn.encode())):
        root = tmp_path / str(cut)
        Tiles(root).publish(first)
        with open(root / "checkpoints.log", "ab") as file:
            file.write(torn.encode()[:cut])
        assert list(TileReader(root).notes()) == [first]
        Tiles(root).publish(after)
        assert list(TileReader(root).notes()) == [first, after]
