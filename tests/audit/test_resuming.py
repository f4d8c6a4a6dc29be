"""Restarts, restores, rewrites: a sealer goes on from what was published, or not at all."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from pytest_django import Settings

from audit.ledger import Act
from audit.ledger.errors import Forked
from audit.ledger.models import Checkpoint, Entry, Leaf
from audit.ledger.sealing import Sealer
from audit.ledger.verification import Verifier
from audit.tlog.merkle import root_of
from audit.tlog.tiles import size_of
from tests.audit.conftest import Write, seal_all
from tests.audit.seeding import seeded


def leaves() -> list[bytes]:
    return [bytes(leaf) for leaf in Leaf.objects.order_by("leaf_index").values_list("leaf_hash", flat=True)]


@pytest.fixture
def rolled_back(sealer: Sealer, written: Write, as_owner: Any) -> Iterator[int]:
    """The owner's privileges: the last entries and their seals are taken out of the database, as an old dump has it."""
    written(2)
    seal_all(sealer)
    kept = sealer.peaks.size
    lost = written(4)
    seal_all(sealer)
    for table in ("audit_entry", "audit_leaf", "audit_checkpoint"):
        as_owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    as_owner("DELETE FROM audit_leaf WHERE leaf_index >= %s", kept)
    as_owner("DELETE FROM audit_checkpoint WHERE tree_size > %s", kept)
    as_owner("DELETE FROM audit_entry WHERE id = ANY(%s)", lost)
    for table in ("audit_entry", "audit_leaf", "audit_checkpoint"):
        as_owner(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    yield kept


def test_a_restart_reads_a_few_tiles_and_not_the_leaf_table(sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    with seeded(70_000, sealer=sealer):
        asked: list[tuple[int, int]] = []

        def none_of_them(first: int, end: int) -> Iterator[bytes]:
            asked.append((first, end))
            return iter(())

        monkeypatch.setattr("audit.ledger.resuming._leaves", none_of_them)
        again = Sealer()
        assert asked == [(sealer.peaks.size, sealer.peaks.size)]
        assert again.peaks.root() == sealer.peaks.root() == root_of(leaves())
        assert again.tiles.open_tiles == sealer.tiles.open_tiles


def test_lost_tiles_are_made_anew_from_the_leaf_table(sealer: Sealer) -> None:
    with seeded(600, sealer=sealer):
        files = {path: path.read_bytes() for path in (sealer.tiles.root / "tile").rglob("*") if path.is_file()}
        assert len(files) > 3
        shutil.rmtree(sealer.tiles.root / "tile")
        Sealer()
        again = {path: path.read_bytes() for path in (sealer.tiles.root / "tile").rglob("*") if path.is_file()}
        assert len(again) > 3 and again.items() <= files.items()
        older = files.keys() - again.keys()  # parts of a tile that is not full yet, of smaller trees: nobody needs them again
        assert {path.parent for path in older} <= {path.parent for path in again if path.parent.suffix == ".p"}


def test_a_full_tile_takes_the_place_of_its_parts(sealer: Sealer, written: Write) -> None:
    with seeded(600, sealer=sealer):
        size = sealer.peaks.size
        kept = {str(path.relative_to(sealer.tiles.root)) for path in (sealer.tiles.root / "tile" / "0").rglob("*") if path.is_file()}
        full = {f"tile/0/{index:03d}" for index in range(size // 256)}
        assert full < kept
        assert all(name.startswith(f"tile/0/{size // 256:03d}.p/") for name in kept - full)


def test_a_database_that_was_rolled_back_is_not_sealed_on(rolled_back: int, written: Write, sealer: Sealer) -> None:
    waiting = written(1)
    with pytest.raises(CommandError, match="rolled back"):
        call_command("seal_audit", "--once")
    assert not Leaf.objects.filter(entry_id__in=waiting).exists()
    assert Entry.objects.filter(act=Act.LEDGER_FORK_FOUND, outcome="failed").exists()
    assert size_of((sealer.tiles.root / "checkpoint").read_text()) > rolled_back  # what was published stays


def test_a_restore_that_was_meant_sets_aside_what_was_published(rolled_back: int, written: Write, sealer: Sealer) -> None:
    waiting = written(1)
    published = size_of((sealer.tiles.root / "checkpoint").read_text())
    call_command("seal_audit", "--after-restore")
    assert Leaf.objects.filter(entry_id__in=waiting).exists()
    assert Entry.objects.filter(act=Act.LEDGER_RESTORED).latest("id").detail == f'{{"published":{published},"stored":{rolled_back}}}'
    assert Verifier().run().ok
    kept = sealer.tiles.root / "superseded" / str(published)
    assert size_of((kept / "checkpoint").read_text()) == published
    shutil.copy(sealer.tiles.root / "public-key", kept)
    assert not Verifier(kept).run().ok  # whoever kept the old checkpoints sees what is gone


def test_leaves_rewritten_while_nobody_sealed_are_noticed(sealer: Sealer, written: Write, as_owner: Any) -> None:
    """The owner's privileges; tiles are gone too, so that only the published checkpoint tells."""
    written(3)
    seal_all(sealer)
    shutil.rmtree(sealer.tiles.root / "tile")
    newest = Leaf.objects.order_by("-leaf_index")[0]
    as_owner("ALTER TABLE audit_leaf DISABLE TRIGGER USER")
    try:
        as_owner("UPDATE audit_leaf SET leaf_hash = %s WHERE leaf_index = %s", bytes(32), newest.leaf_index)
        with pytest.raises(Forked, match="do not lead on"):
            Sealer()
    finally:
        as_owner("UPDATE audit_leaf SET leaf_hash = %s WHERE leaf_index = %s", bytes(newest.leaf_hash), newest.leaf_index)
        as_owner("ALTER TABLE audit_leaf ENABLE TRIGGER USER")
    assert Sealer().peaks.root() == sealer.peaks.root()


def test_a_published_checkpoint_of_another_key_is_not_led_on(
    sealer: Sealer, written: Write, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(1)
    seal_all(sealer)

    class Other:
        key = Ed25519PrivateKey.generate()
        sign = key.sign

        def public_key(self) -> bytes:
            return self.key.public_key().public_bytes_raw()

    monkeypatch.setattr("audit.ledger.resuming.signer", Other)
    with pytest.raises(Forked, match="not ours"):
        Sealer()


def test_a_second_sealer_without_the_lock_does_no_harm(sealer: Sealer, written: Write) -> None:
    """As behind a pooler that drops session locks: the table refuses the second, and what is published never goes back."""
    second = Sealer()
    written(3)
    seal_all(sealer)
    written(2)
    before = Checkpoint.objects.count()
    with pytest.raises(IntegrityError):
        second.seal()
    assert Checkpoint.objects.count() == before
    third = Sealer()
    seal_all(third)
    old = Checkpoint.objects.order_by("tree_size").first()
    assert old is not None
    second.tiles.publish(old.note)
    assert size_of((sealer.tiles.root / "checkpoint").read_text()) == third.peaks.size
    assert len(leaves()) == len(set(Leaf.objects.values_list("entry_id", flat=True))) == third.peaks.size
    assert Verifier().run().ok


def test_transaction_ids_that_began_anew_hide_nothing(sealer: Sealer, written: Write) -> None:
    """After dump and restore into another cluster, the mark is of another time; all entries are looked at once."""
    ids = written(2)
    (sealer.tiles.root / "cluster").write_text("another")
    again = Sealer()
    assert again.mark == "0"
    seal_all(again)
    assert Leaf.objects.filter(entry_id__in=ids).count() == 2
    assert (django_settings.AUDIT_CHECKPOINTS / "cluster").read_text() != "another"


def test_a_torn_partial_tile_is_made_anew(sealer: Sealer, written: Write) -> None:
    """As after a power cut: a partial tile is there, of the right length, and holds nothing."""
    written(3)
    seal_all(sealer)
    if sealer.peaks.size % 256 == 0:  # then there is no partial tile
        written(1)
        seal_all(sealer)
    size = sealer.peaks.size
    partial = sealer.tiles.root / f"tile/0/{size // 256:03d}.p/{size % 256}"
    whole = partial.read_bytes()
    partial.write_bytes(bytes(len(whole)))
    assert Sealer().peaks.root() == sealer.peaks.root()
    assert partial.read_bytes() == whole
