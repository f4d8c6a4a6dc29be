"""The sealer: nothing missed, nothing twice, whatever commits late, whoever dies."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import Settings

from audit.ledger import SYSTEM, Act, keys, record, unit
from audit.ledger.entries import COLUMNS, new_row, text_sql
from audit.ledger.models import Checkpoint, Entry, Leaf
from audit.ledger.sealing import Sealer, lag_seconds
from audit.ledger.verification import Verifier
from tests.audit.conftest import Write, seal_all
from tests.audit.load import session
from tests.audit.sealers import start_sealer, wait_until_sealed


def write_in(other: "psycopg.Connection[Any]") -> Any:
    """One entry in an open transaction of another session."""
    row = new_row(act=Act.OBJECT_ACCESSED, channel="task", role="system")
    mac = keys.mac(row.text())
    names = ", ".join([*COLUMNS, "mac"])
    other.execute(
        f"INSERT INTO audit_entry ({names}) VALUES ({', '.join(['%s'] * (len(COLUMNS) + 1))})".encode(),
        [*(getattr(row, name) for name in COLUMNS), mac],
    )
    return row.id


def test_postgresql_builds_the_canonical_text_that_python_signed(written: Write) -> None:
    with unit(SYSTEM, channel="task"):
        record(SYSTEM, Act.OBJECT_ACCESSED, reason='a "quoted" \\ code\twith\nédges \x7f', detail={"b": 1, "a": "é\u2028"})
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {text_sql('e')}, e.mac, e.id FROM audit_entry e ORDER BY id DESC LIMIT 1")
        text, mac, entry_id = cursor.fetchone()

    entry = Entry.objects.get(pk=entry_id)
    row = new_row(act=entry.act)
    rebuilt = type(row)(**{name: getattr(entry, name) for name in COLUMNS})
    assert text.encode() == rebuilt.text()
    assert json.loads(text)["reason"] == entry.reason
    assert keys.mac(text.encode()) == bytes(mac)


def test_a_late_commit_is_sealed_and_a_long_writer_delays_nobody(sealer: Sealer, written: Write) -> None:
    with session() as slow:
        late = write_in(slow)
        ids = written(3)
        seal_all(sealer)
        assert Leaf.objects.filter(entry_id__in=ids).count() == 3
        assert not Leaf.objects.filter(entry_id=late).exists()
        more = written(2)
        seal_all(sealer)
        slow.commit()
    seal_all(sealer)

    assert Leaf.objects.filter(entry_id__in=[late, *ids, *more]).count() == 6
    assert Verifier().run().ok


def test_what_is_rolled_back_leaves_no_gap(sealer: Sealer, written: Write) -> None:
    with pytest.raises(RuntimeError), unit(SYSTEM, channel="task"), transaction.atomic():
        record(SYSTEM, Act.OBJECT_ACCESSED)
        raise RuntimeError
    written(2)
    seal_all(sealer)
    indexes = list(Leaf.objects.order_by("leaf_index").values_list("leaf_index", flat=True))
    assert indexes == list(range(len(indexes)))
    assert Verifier().run().ok


def test_writers_at_once_are_all_sealed_exactly_once(sealer: Sealer, transactional_db: None) -> None:
    before, ids, done = Leaf.objects.count(), [], threading.Event()

    def work() -> None:
        with session() as other:
            for number in range(40):
                made = write_in(other)
                other.rollback() if number % 5 == 4 else other.commit()
                if number % 5 != 4:
                    ids.append(made)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while not done.is_set():
        if not any(thread.is_alive() for thread in threads):
            done.set()
        seal_all(sealer)
    assert Leaf.objects.count() - before == len(ids) == 128
    assert Verifier().run().ok


def test_a_new_sealer_goes_on_where_the_last_one_died(sealer: Sealer, written: Write) -> None:
    written(300)
    seal_all(sealer)
    written(5)
    again = Sealer()
    assert again.peaks.root() == sealer.peaks.root()
    seal_all(again)
    assert Verifier().run().ok
    assert lag_seconds() == 0


def test_a_checkpoint_committed_but_not_published_is_published_by_the_next_sealer(sealer: Sealer, written: Write) -> None:
    written(2)
    seal_all(sealer)
    (sealer.tiles.root / "checkpoint").unlink()
    Sealer()
    assert (sealer.tiles.root / "checkpoint").read_text() == Checkpoint.objects.order_by("-tree_size")[0].note


def test_only_one_sealer_works_and_kill_9_lets_the_next_one_in(written: Write, tmp_path: Path, settings: Settings) -> None:
    """Two processes of the command over the test database; the first is killed in the middle of its work."""
    settings.AUDIT_CHECKPOINTS = tmp_path / "home" / "checkpoints"
    written(10)
    first = start_sealer(tmp_path / "home")
    wait_until_sealed(written(5))
    second = start_sealer(tmp_path / "home")
    try:
        first.send_signal(signal.SIGKILL)
        first.wait(10)
        wait_until_sealed(written(5))
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(20) == 0
    report = Verifier().run()
    assert report.ok, report.damages
    assert report.unsealed == 0


def test_the_command_verifies_and_exits_non_zero_after_damage(
    sealer: Sealer, written: Write, as_owner: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (victim,) = written(1)
    seal_all(sealer)
    call_command("verify_audit", "--json")
    assert json.loads(capsys.readouterr().out)["ok"] is True

    as_owner("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    as_owner("UPDATE audit_entry SET reason = 'other' WHERE id = %s", victim)
    try:
        with pytest.raises(SystemExit) as ended:
            call_command("verify_audit")
    finally:
        as_owner("UPDATE audit_entry SET reason = 'test' WHERE id = %s", victim)
        as_owner("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    assert ended.value.code == 1
    assert f"edited: entry {victim}" in capsys.readouterr().out
