"""Entries that carry no valid MAC: whoever has the runtime role's password and not the key can write them, and is found."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import Settings

from audit.ledger import Act
from audit.ledger.entries import COLUMNS, new_row
from audit.ledger.models import Entry, Leaf
from audit.ledger.sealing import Sealer
from audit.ledger.verification import Verifier
from telehealth.accounts.access import Role
from telehealth.outbox.models import Message
from tests.audit.conftest import Write, seal_all
from tests.people import MakeAccount


@pytest.fixture(autouse=True)
def nothing_left(as_owner: Any) -> Iterator[None]:
    """Nobody was told yet; and what is forged here is not found by the tests that follow."""
    cache.clear()
    yield
    as_owner("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    as_owner("DELETE FROM audit_entry WHERE mac = %s", bytes(32))
    as_owner("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def forge(count: int = 1) -> list[UUID]:
    """With the privileges of the runtime role: INSERT on audit_entry, any MAC that one can think of."""
    names = ", ".join([*COLUMNS, "mac"])
    rows = [new_row(act=Act.RECORD_OPENED, channel="REST", role="provider") for _ in range(count)]
    with connection.cursor() as cursor:
        for row in rows:
            values = [*(getattr(row, name) for name in COLUMNS), bytes(32)]
            cursor.execute(f"INSERT INTO audit_entry ({names}) VALUES ({', '.join(['%s'] * len(values))})", values)
    return [row.id for row in rows]


def findings() -> list[str]:
    return list(Entry.objects.filter(act=Act.LEDGER_FORGERY_FOUND).order_by("id").values_list("object_pk", flat=True))


def test_a_forged_entry_stays_out_of_the_tree_and_the_rest_goes_in(sealer: Sealer, written: Write) -> None:
    before = written(3)
    (forged,) = forge()
    after = written(3)
    seal_all(sealer)
    assert Leaf.objects.filter(entry_id__in=[*before, *after]).count() == 6
    assert not Leaf.objects.filter(entry_id=forged).exists()
    assert [(damage.kind, damage.entry) for damage in Verifier().run().damages] == [("forged", str(forged))]


def test_each_forged_entry_is_on_record_once_also_for_the_next_sealer(sealer: Sealer) -> None:
    known = set(findings())
    forged = {str(one) for one in forge(2)}
    seal_all(sealer)
    assert set(findings()) - known == forged
    again = Sealer()
    again.mark = "0"  # as after a restore: everything is looked at once more
    seal_all(again)
    seal_all(again)
    assert sorted(set(findings()) - known) == sorted(forged)
    assert Leaf.objects.filter(entry_id__in=Entry.objects.filter(act=Act.LEDGER_FORGERY_FOUND).values("pk")).count() == len(findings())


def test_more_forged_entries_than_a_batch_do_not_stand_in_the_way(sealer: Sealer, written: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.ledger.sealing.BATCH", 4)
    monkeypatch.setattr("audit.ledger.sealing.STROKE", 4)
    forged = forge(10)
    good = written(2)
    seal_all(sealer)
    assert Leaf.objects.filter(entry_id__in=good).count() == 2
    assert set(map(str, forged)) <= set(findings())


def test_privacy_officers_are_told_once_and_nobody_else(sealer: Sealer, make_account: MakeAccount, written: Write) -> None:
    officers = {make_account(Role.PRIVACY_OFFICER).id for _ in range(2)}
    make_account(Role.ADMINISTRATOR)
    forge(3)
    seal_all(sealer)
    forge()
    call_command("seal_audit", "--once")
    told = Message.objects.filter(kind="audit_alarm").values_list("person_id", flat=True)
    assert sorted(told) == sorted(officers)


def test_a_notice_that_fails_stops_nothing(sealer: Sealer, written: Write, settings: Settings) -> None:
    settings.AUDIT_ALARM = "audit.review.alarms.gone"
    forged = forge()
    good = written(1)
    seal_all(sealer)
    assert Leaf.objects.filter(entry_id__in=good).exists()
    assert str(forged[0]) in findings()


def test_an_alarm_is_part_of_the_round_that_found_it(sealer: Sealer) -> None:
    """A sealer that dies before its commit has found nothing, so the next one finds it."""
    forged = str(forge()[0])
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        assert sealer.seal().forged == [forged]
        raise KeyboardInterrupt
    assert forged not in findings()
    seal_all(Sealer())
    assert forged in findings()
