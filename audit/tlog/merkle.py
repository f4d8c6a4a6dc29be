"""Merkle tree arithmetic of RFC 6962, section 2.1: pure functions on hashes."""

import hashlib
from collections.abc import Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Peaks:
    """The roots of the perfect subtrees that a tree of `size` leaves is made of, largest first: all that growing needs."""

    __slots__ = ("roots", "size")

    def __init__(self, size: int = 0, roots: Iterable[bytes] = ()) -> None:
        self.size = size
        self.roots = list(roots)
        if len(self.roots) != size.bit_count():
            raise ValueError("a tree has one peak per set bit of its size")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self.graft(leaf, 0)

    def graft(self, root: bytes, level: int) -> None:
        """Add the root of a perfect subtree of 2^level leaves; the size so far must be a multiple of that."""
        if self.size & ((1 << level) - 1):
            raise ValueError("a perfect subtree begins at a multiple of its size")
        for _ in range(trailing_ones(self.size >> level)):
            root = node_hash(self.roots.pop(), root)
        self.roots.append(root)
        self.size += 1 << level

    def root(self) -> bytes:
        """The tree head's hash, MTH of RFC 6962."""
        return fold(self.roots)

    def to_bytes(self) -> bytes:
        return b"".join(self.roots)

    @classmethod
    def from_bytes(cls, size: int, raw: bytes) -> "Peaks":
        return cls(size, (raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)))


def fold(roots: Sequence[bytes]) -> bytes:
    """The root over neighbouring perfect subtrees that are given largest first."""
    if not roots:
        return EMPTY_ROOT
    found = roots[-1]
    for peak in reversed(roots[:-1]):
        found = node_hash(peak, found)
    return found


def trailing_ones(number: int) -> int:
    """How many subtrees a new leaf completes."""
    return (~number & (number + 1)).bit_length() - 1


def root_of(leaves: Sequence[bytes]) -> bytes:
    """MTH over leaf hashes."""
    peaks = Peaks()
    for leaf in leaves:
        peaks.append(leaf)
    return peaks.root()
