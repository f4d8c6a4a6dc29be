"""Proofs against RFC 6962's own definitions; readers of published tiles against whatever is missing."""

import hashlib
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.merkle import leaf_hash, node_hash
from audit.tlog.notes import Head
from audit.tlog.proofs import consistency, inclusion, perfect, subtree, verify_consistency, verify_inclusion
from audit.tlog.reading import TileReader, Unpublished
from audit.tlog.tiles import Tiles
from tests.audit.test_merkle import ENTRIES, OneKey, naive_root, signed
from tests.audit.vectors import CONSISTENCY, INCLUSION

LEAVES = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]


def split(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH as section 2.1.1 writes it."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*naive_path(index, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(index - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(old: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF as section 2.1.2 writes it."""
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = split(len(leaves))
    if old <= k:
        return [*naive_subproof(old, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(old - k, leaves[k:], False), naive_root(leaves[:k])]


def nodes_of(leaves: list[bytes]):  # type: ignore[no-untyped-def]
    return lambda level, index: naive_root(leaves[index << level : index + 1 << level])


some_leaves = st.lists(st.binary(max_size=4).map(leaf_hash), min_size=1, max_size=70)


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_published_inclusion_proofs(index: int, size: int, path: list[str]) -> None:
    proof = inclusion(index, size, nodes_of(LEAVES))
    assert [each.hex() for each in proof] == path
    assert verify_inclusion(LEAVES[index], index, size, proof, naive_root(LEAVES[:size]))


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_published_consistency_proofs(old: int, new: int, path: list[str]) -> None:
    proof = consistency(old, new, nodes_of(LEAVES))
    assert [each.hex() for each in proof] == path
    assert verify_consistency(old, new, proof, naive_root(LEAVES[:old]), naive_root(LEAVES[:new]))


@given(some_leaves, st.data())
def test_inclusion_is_the_definition_and_holds_for_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    size, root = len(leaves), naive_root(leaves)
    proof = inclusion(index, size, nodes_of(leaves))

    assert proof == naive_path(index, leaves)
    assert verify_inclusion(leaves[index], index, size, proof, root)
    assert not verify_inclusion(leaf_hash(b"another"), index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, proof, leaf_hash(b"root"))
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
    assert not verify_inclusion(leaves[index], index - size, size, proof, root)
    assert not verify_inclusion(leaves[index], size, size, proof, root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        bad = [*proof]
        bad[at] = bytes([bad[at][0] ^ 1]) + bad[at][1:]
        assert not verify_inclusion(leaves[index], index, size, bad, root)
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)
    elsewhere = data.draw(st.integers(0, size - 1))
    if leaves[elsewhere] != leaves[index]:
        assert not verify_inclusion(leaves[index], elsewhere, size, proof, root)


@given(some_leaves, st.data())
def test_consistency_is_the_definition_and_holds_for_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    new = len(leaves)
    old = data.draw(st.integers(1, new))
    proof = consistency(old, new, nodes_of(leaves))
    before, after = naive_root(leaves[:old]), naive_root(leaves)

    assert proof == naive_subproof(old, leaves, True)
    assert verify_consistency(old, new, proof, before, after)
    assert not verify_consistency(old, new, proof, leaf_hash(b"root"), after)
    assert not verify_consistency(old, new, proof, before, leaf_hash(b"root"))
    assert not verify_consistency(old, new, [*proof, after], before, after)
    assert not verify_consistency(new + 1, new, proof, before, after)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        bad = [*proof]
        bad[at] = bytes([bad[at][0] ^ 1]) + bad[at][1:]
        assert not verify_consistency(old, new, bad, before, after)
        assert not verify_consistency(old, new, proof[:-1], before, after)


@given(some_leaves)
def test_every_tree_begins_with_the_empty_one_and_with_itself(leaves: list[bytes]) -> None:
    size, root = len(leaves), naive_root(leaves)
    assert verify_consistency(0, size, consistency(0, size, nodes_of(leaves)), naive_root([]), root)
    assert verify_consistency(size, size, consistency(size, size, nodes_of(leaves)), root, root)
    assert not verify_consistency(0, size, [], root, root)
    assert not verify_consistency(size, size, [], leaf_hash(b"x"), root)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_there_is_no_proof_for_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion(index, size, nodes_of(LEAVES))
    with pytest.raises(ValueError, match="only grows"):
        consistency(size + 1, size, nodes_of(LEAVES))


@given(some_leaves)
def test_a_tree_is_its_peaks(leaves: list[bytes]) -> None:
    assert subtree(0, len(leaves), nodes_of(leaves)) == naive_root(leaves)
    assert sum(1 << level for level, _ in perfect(0, len(leaves))) == len(leaves)


def published(folder: str, size: int) -> tuple[TileReader, list[bytes]]:
    tiles, leaves = Tiles(Path(folder)), [leaf_hash(str(number).encode()) for number in range(size)]
    for leaf in leaves:
        tiles.append(leaf)
    tiles.settle()
    return TileReader(Path(folder)), leaves


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 70_000), st.data())
def test_proofs_from_tiles_hold(size: int, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        reader, leaves = published(folder, size)
        index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
        nodes, root = reader.nodes(size), subtree(0, size, reader.nodes(size))

        assert verify_inclusion(leaves[index], index, size, inclusion(index, size, nodes), root)
        before = subtree(0, old, nodes)
        assert verify_consistency(old, size, consistency(old, size, nodes), before, root)


def test_tiles_give_the_root_of_the_definition(tmp_path: Path) -> None:
    reader, leaves = published(str(tmp_path), 700)
    assert subtree(0, 700, reader.nodes(700)) == naive_root(leaves)


def test_an_older_tree_is_read_from_the_tiles_of_a_younger_one(tmp_path: Path) -> None:
    """Partial tiles may be cleared away once the full one is there."""
    reader, leaves = published(str(tmp_path), 700)
    for old in (300, 511, 513):
        assert subtree(0, old, reader.nodes(old)) == naive_root(leaves[:old])
    with pytest.raises(Unpublished):
        reader.node(0, 700, 700)
    assert reader.leaf(900, 1000) is None


def test_what_is_not_published_is_said(tmp_path: Path) -> None:
    reader, _ = published(str(tmp_path), 300)
    for ask in (reader.checkpoint, reader.public_key):
        with pytest.raises(Unpublished):
            ask()
    assert list(reader.notes()) == []
    shutil.rmtree(tmp_path / "tile" / "1")
    with pytest.raises(Unpublished):
        TileReader(tmp_path).node(8, 0, 300)


def test_a_half_written_last_checkpoint_is_left_out(tmp_path: Path) -> None:
    tiles, key = Tiles(tmp_path), OneKey()
    notes = [signed(Head("o", size, hashlib.sha256(b"").digest()), key) for size in (1, 2)]
    for note in notes:
        tiles.publish(note)
    with (tmp_path / "checkpoints.log").open("a") as log:
        log.write("o\n3\nhalf")
    assert list(TileReader(tmp_path).notes()) == notes
    assert TileReader(tmp_path).checkpoint() == notes[-1]


def test_a_node_is_never_mistaken_for_a_leaf() -> None:
    """Without the prefixes of section 2.1 an inner node could be passed off as an entry."""
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
