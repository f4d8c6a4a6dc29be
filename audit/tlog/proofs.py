"""Proofs of RFC 6962, sections 2.1.1 and 2.1.2, made from subtree hashes and checked as RFC 9162 writes it (2.1.3, 2.1.4).

`Nodes` answers for a perfect subtree: `nodes(level, index)` is the hash over the 2^level leaves from index * 2^level on.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from audit.tlog.merkle import EMPTY_ROOT, node_hash


class Nodes(Protocol):
    """The hash of a perfect subtree."""

    def __call__(self, level: int, index: int, /) -> bytes: ...


def inclusion(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """PATH(index, D[size]): the siblings from the leaf up. ValueError when the tree has no such leaf."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of this size")
    first, last, path = 0, size, []
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            path.append(subtree(middle, last, nodes))
            last = middle
        else:
            path.append(subtree(first, middle, nodes))
            first = middle
    return path[::-1]


def consistency(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """PROOF(old, D[new]): what shows that the tree of `old` leaves is the beginning of the one of `new`."""
    if not 0 <= old <= new:
        raise ValueError("a log only grows")
    if old in (0, new):
        return []
    first, last, whole, path = 0, new, True, []
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            path.append(subtree(middle, last, nodes))
            last = middle
        else:
            path.append(subtree(first, middle, nodes))
            first, whole = middle, False
    if not whole:
        path.append(subtree(first, last, nodes))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether `leaf` stands at `index` of the tree with this size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for each in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(each, found)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, each)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the tree of `old` leaves is the beginning of the one of `new` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        return not path and old_root == (new_root if old else EMPTY_ROOT)
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not steps:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = steps[0]
    for each in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            before, after = node_hash(each, before), node_hash(each, after)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, each)
        node, last = node >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def subtree(first: int, last: int, nodes: Nodes) -> bytes:
    """MTH over the leaves [first, last), where `first` is a multiple of the range's largest power of two."""
    found = b""
    for level, index in reversed(list(perfect(first, last))):
        found = node_hash(nodes(level, index), found) if found else nodes(level, index)
    return found or EMPTY_ROOT


def perfect(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees (level, index) that such a range is made of, largest first: with first = 0, a tree's peaks."""
    while first < last:
        level = (last - first).bit_length() - 1
        yield level, first >> level
        first += 1 << level


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1
