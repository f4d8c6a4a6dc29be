"""How long an entry waits to be sealed and published: two seconds at most for 99 of 100, whoever else writes and however long."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings

from audit.ledger import Act, tasks
from audit.ledger.models import Entry, Leaf
from audit.ledger.sealing import Sealer, lag_seconds
from telehealth.accounts.access import Role
from telehealth.outbox.models import Message
from tests.audit.conftest import Write, seal_all
from tests.audit.load import lags, open_loop, percentile, published_sizes, session, take_away
from tests.audit.sealers import sealing, wait_until_sealed
from tests.audit.seeding import owner
from tests.audit.test_sealing import write_in
from tests.people import MakeAccount

LIMIT = 2.0  # seconds, at the 99th percentile
RATE = 500  # entries a second


@pytest.fixture
def clean(transactional_db: None) -> Iterator[None]:
    size = Leaf.objects.count()
    yield
    with owner() as connection:
        take_away(connection, size)


def beside_a_long_writer(home: Path, seconds: float) -> list[float]:
    """Lags at 500 entries/s while another transaction that has written stays open all the time."""
    with session() as long, sealing(home):
        late = write_in(long)
        with session(autocommit=True) as warm:
            first = write_in(warm)
        wait_until_sealed([first])
        with published_sizes(home / "checkpoints") as seen:
            written = open_loop(rate=RATE, writers=16, seconds=seconds)
            threading.Event().wait(LIMIT)
        assert len(written) == RATE * seconds // 16 * 16
        assert not Leaf.objects.filter(entry_id=late).exists()
        long.commit()
        wait_until_sealed([late])
    return lags(written, seen)


def test_entries_are_published_within_two_seconds_beside_a_transaction_that_writes_on(
    clean: None, tmp_path: Path, settings: Settings
) -> None:
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints"
    assert percentile(beside_a_long_writer(tmp_path, 3), 99) <= LIMIT


@pytest.mark.storm
def test_ten_minutes_of_it(clean: None, tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints"
    found = beside_a_long_writer(tmp_path, 600)
    with capsys.disabled():
        print({"entries": len(found), **{f"p{percent}": round(percentile(found, percent), 3) for percent in (50, 99, 100)}})  # noqa: T201
    assert percentile(found, 99) <= LIMIT


def test_a_new_sealer_beside_a_long_writer_looks_wider_once_and_seals_nothing_twice(sealer: Sealer, written: Write) -> None:
    with session() as long:
        late = write_in(long)
        written(3)
        seal_all(sealer)
        again = Sealer()
        assert int(again.mark) <= int(Entry.objects.raw("SELECT id, xid::text AS x FROM audit_entry ORDER BY id DESC LIMIT 1")[0].x)
        assert again.seal().count == 0
        more = written(2)
        long.commit()
        seal_all(again)
    assert Leaf.objects.filter(entry_id__in=[late, *more]).count() == 3


def test_waiting_counts_from_the_last_checkpoint_and_ends_with_sealing(sealer: Sealer, written: Write, as_owner: Any) -> None:
    seal_all(sealer)
    assert lag_seconds() == 0
    written(1)
    assert 0 < lag_seconds() < 30
    with session() as long:  # a transaction's own entries wait since its commit, not since it wrote them
        write_in(long)
        written(1)
        seal_all(sealer)
        before = lag_seconds()
        long.commit()
    assert before == 0 <= lag_seconds() < 30
    seal_all(sealer)
    assert lag_seconds() == 0


def test_a_lag_is_an_alarm_once_and_privacy_officers_are_told(
    sealer: Sealer, written: Write, settings: Settings, make_account: MakeAccount
) -> None:
    cache.clear()
    officer = make_account(Role.PRIVACY_OFFICER)
    settings.AUDIT_LAG_SECONDS = 0
    seal_all(sealer)
    tasks.watch()
    before = Entry.objects.filter(act=Act.LEDGER_LAG_FOUND).count()
    written(1)
    tasks.watch()
    tasks.watch()
    assert Entry.objects.filter(act=Act.LEDGER_LAG_FOUND, outcome="failed").count() == before + 1
    assert Message.objects.filter(kind="audit_alarm", person_id=officer.id).count() == 1
