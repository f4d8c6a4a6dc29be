"""The verifier against an owner of the database who knows everything but the keys.

Every attack here is made with the rights of the tables' owner: triggers off, any statement, any function.
"""

import json
from uuid import UUID

import pytest

from audit.ledger import keys, sealing
from audit.ledger.entries import canonical
from audit.ledger.sealing import Sealer
from audit.ledger.verification import Damage
from audit.tlog.merkle import Peaks
from audit.tlog.notes import Head, signed
from tests.audit.attacking import (
    TABLES,
    Attack,
    at,
    attack,
    cut,
    damages,
    everything,
    first,
    insert_true_entry,
    keys_origin,
    leaf_hash_of,
    log,
    put_checkpoint,
    rewrite_leaf,
    shift,
    small,
    text_of,
)
from tests.audit.conftest import seal_all
from tests.audit.test_merkle import OneKey

__all__ = ["attack", "log", "small"]  # fixtures


def test_edited(attack: Attack, log: list[UUID]) -> None:
    index = at(log[5])
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", log[5])
    assert first() == ("edited", str(log[5]), index)


def test_edited_with_its_leaf(attack: Attack, log: list[UUID]) -> None:
    """The owner recomputes what the leaf table should say of the changed entry; the MAC is beyond them."""
    index = at(log[5])
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", log[5])
    rewrite_leaf(attack, log[5])
    assert first() == ("edited", str(log[5]), index)


def test_edited_by_somebody_who_has_the_mac_key_too(attack: Attack, log: list[UUID]) -> None:
    index = at(log[5])
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", log[5])
    attack("UPDATE audit_entry SET mac = %s WHERE id = %s", keys.mac(text_of(attack, log[5])), log[5])
    rewrite_leaf(attack, log[5])
    assert first() == ("edited", str(log[5]), index)


def test_deleted(attack: Attack, log: list[UUID]) -> None:
    index = at(log[2])
    attack("DELETE FROM audit_entry WHERE id = %s", log[2])
    assert first() == ("deleted", str(log[2]), index)


def test_deleted_with_its_leaf(attack: Attack, log: list[UUID]) -> None:
    index = at(log[2])
    attack("DELETE FROM audit_entry WHERE id = %s", log[2])
    attack("DELETE FROM audit_leaf WHERE entry_id = %s", log[2])
    assert first() == ("deleted", f"leaf {index}", index)


def test_deleted_with_its_leaf_and_the_rest_moved_up(attack: Attack, log: list[UUID]) -> None:
    index = at(log[2])
    attack("DELETE FROM audit_entry WHERE id = %s", log[2])
    attack("DELETE FROM audit_leaf WHERE entry_id = %s", log[2])
    shift(attack, index, -1)
    assert first() == ("deleted", f"leaf {index}", index)


def test_inserted_into_the_tree(attack: Attack, log: list[UUID]) -> None:
    """An entry with a true MAC, put between others, with everything after it moved down."""
    index, (late, _) = at(log[3]), insert_true_entry(attack)
    shift(attack, index, 1)
    attack("INSERT INTO audit_leaf VALUES (%s, %s, %s)", index, late, leaf_hash_of(attack, late))
    assert first() == ("inserted", str(late), index)


def test_inserted_beside_the_tree(attack: Attack, log: list[UUID]) -> None:
    """An entry of a transaction long over, which the sealer would have sealed had it been there."""
    late, _ = insert_true_entry(attack)
    attack("UPDATE audit_entry SET xid = '3' WHERE id = %s", late)
    assert Damage("inserted", str(late)) in damages()


def test_inserted_without_the_mac_key(attack: Attack, log: list[UUID]) -> None:
    late, _ = insert_true_entry(attack)
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", late)
    assert first() == ("forged", str(late), None)


def test_inserted_far_away(attack: Attack, log: list[UUID]) -> None:
    late, _ = insert_true_entry(attack)
    attack("INSERT INTO audit_leaf VALUES (%s, %s, %s)", 10**15, late, leaf_hash_of(attack, late))
    assert first() == ("inserted", str(late), 10**15)


def test_reordered(attack: Attack, log: list[UUID]) -> None:
    one, two = at(log[1]), at(log[9])
    for old, new in ((one, -1), (two, one), (-1, two)):
        attack("UPDATE audit_leaf SET leaf_index = %s WHERE leaf_index = %s", new, old)
    assert first() == ("reordered", str(log[9]), one)


def test_reordered_neighbours(attack: Attack, log: list[UUID]) -> None:
    one = at(log[1])
    for old, new in ((one, -1), (one + 1, one), (-1, one + 1)):
        attack("UPDATE audit_leaf SET leaf_index = %s WHERE leaf_index = %s", new, old)
    assert first() == ("reordered", str(log[2]), one)


def test_reordered_entries_under_their_leaves(attack: Attack, log: list[UUID]) -> None:
    attack("UPDATE audit_leaf SET entry_id = %s WHERE entry_id = %s", UUID(int=1), log[1])
    attack("UPDATE audit_leaf SET entry_id = %s WHERE entry_id = %s", log[1], log[9])
    attack("UPDATE audit_leaf SET entry_id = %s WHERE entry_id = %s", log[9], UUID(int=1))
    assert first()[0] == "reordered"


def test_truncated_tail(attack: Attack, log: list[UUID]) -> None:
    size = len(everything())
    cut(attack, log[-4:], size - 4)
    found = damages()
    assert found[0] == Damage("truncated tail", f"size {size - 4} of {size}", size - 4)
    assert "rolled-back checkpoint" in {each.kind for each in found}


def test_truncated_to_nothing(attack: Attack, log: list[UUID]) -> None:
    for table in TABLES:
        attack(f"DELETE FROM {table}")
    assert first()[0] == "truncated tail"


def test_rolled_back_checkpoint(attack: Attack, log: list[UUID]) -> None:
    """The entries are all there, but the database knows nothing of the newest checkpoint."""
    attack("DELETE FROM audit_checkpoint WHERE tree_size = (SELECT max(tree_size) FROM audit_checkpoint)")
    assert "rolled-back checkpoint" in {each.kind for each in damages()}


def test_an_old_dump_grown_again_is_rolled_back_and_parts_where_it_was_restored(attack: Attack, log: list[UUID], sealer: Sealer) -> None:
    """Restored to where it stood four entries ago, other entries since, sealed by the true sealer with the true key."""
    size = len(everything())
    cut(attack, log[-4:], size - 4)
    others = [insert_true_entry(attack)[0] for _ in range(4)]
    peaks = Peaks()
    for (leaf,) in attack("SELECT leaf_hash FROM audit_leaf ORDER BY leaf_index"):
        peaks.append(bytes(leaf))
    for number, other in enumerate(others):
        leaf = leaf_hash_of(attack, other)
        attack("INSERT INTO audit_leaf VALUES (%s, %s, %s)", size - 4 + number, other, leaf)
        peaks.append(leaf)
    put_checkpoint(attack, peaks, keys.signer())

    found = damages()

    assert "forked checkpoint" in {each.kind for each in found} or found[0].index == size - 4


def test_a_forked_checkpoint(attack: Attack, log: list[UUID]) -> None:
    """Two roots of one size under our own signature: the sealer's key was used for another log."""
    size = len(everything())
    attack("DELETE FROM audit_checkpoint WHERE tree_size = %s", size)
    other = signed(Head(keys_origin(), size, bytes(32)), keys.signer())
    attack("INSERT INTO audit_checkpoint VALUES (%s, %s, %s, %s, '0', now())", size, bytes(32), b"", other)
    assert "forked checkpoint" in {each.kind for each in damages()}


def test_foreign_signature_and_a_tree_rewritten_with_another_key(attack: Attack, log: list[UUID]) -> None:
    """The owner drops an entry, rebuilds leaves and checkpoints, and signs with a key of their own."""
    index = at(log[3])
    attack("DELETE FROM audit_entry WHERE id = %s", log[3])
    attack("DELETE FROM audit_leaf WHERE entry_id = %s", log[3])
    shift(attack, index, -1)
    attack("DELETE FROM audit_checkpoint")
    peaks = Peaks()
    for (leaf,) in attack("SELECT leaf_hash FROM audit_leaf ORDER BY leaf_index"):
        peaks.append(bytes(leaf))
    put_checkpoint(attack, peaks, OneKey())

    found = damages()

    assert (found[0].kind, found[0].index) == ("deleted", index)
    assert {"foreign signature", "truncated tail", "rolled-back checkpoint"} <= {each.kind for each in found}


def test_clock_backwards_in_an_entry(attack: Attack, log: list[UUID], sealer: Sealer) -> None:
    """Written with every key, but of another time than its id."""
    late, text = insert_true_entry(attack)
    values = json.loads(text) | {"timestamp": "2020-01-01T00:00:00.000000Z"}
    attack('UPDATE audit_entry SET "timestamp" = %s, mac = %s WHERE id = %s', values["timestamp"], keys.mac(canonical(values)), late)
    seal_all(sealer)
    assert first()[:2] == ("clock backwards", str(late))


def test_clock_backwards_in_the_checkpoints(attack: Attack, log: list[UUID]) -> None:
    attack("UPDATE audit_checkpoint SET made_at = made_at - interval '1 hour' WHERE tree_size = %s", len(everything()))
    assert first()[0] == "clock backwards"


def test_an_entry_later_than_its_checkpoint(attack: Attack, log: list[UUID]) -> None:
    attack("UPDATE audit_checkpoint SET made_at = made_at - interval '1 day'")
    assert first()[0] == "clock backwards"


def test_forged_and_sealed_all_the_same(attack: Attack, log: list[UUID], sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody got hold of the sealer's process and made it seal what has no MAC."""
    late, _ = insert_true_entry(attack)
    attack("UPDATE audit_entry SET mac = %s WHERE id = %s", bytes(32), late)
    monkeypatch.setattr(sealing, "hmac", type("Blind", (), {"compare_digest": staticmethod(lambda one, two: True)}))
    seal_all(sealer)
    monkeypatch.undo()
    assert first()[:2] == ("forged", str(late))


def test_a_database_that_lies_by_functions_of_its_own(attack: Attack, log: list[UUID]) -> None:
    """A better match than PostgreSQL's own function would show the verifier what the entry used to say."""
    index = at(log[5])
    attack("UPDATE audit_entry SET role = 'nurse' WHERE id = %s", log[5])
    truth = "pg_catalog.to_json(replace($1, 'nurse', 'system'))"
    attack(f"CREATE FUNCTION public.to_json(text) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT {truth} $$")
    try:
        assert first() == ("edited", str(log[5]), index)
    finally:
        attack("DROP FUNCTION public.to_json(text)")


def test_a_partition_emptied(attack: Attack, log: list[UUID]) -> None:
    (partition,) = attack("SELECT tableoid::regclass::text FROM audit_entry WHERE id = %s", log[0])[0]
    attack(f"DELETE FROM {partition}")
    kind, _, index = first()
    assert (kind, index) == ("deleted", 0)
