"""Parties' locks are taken in one statement, and in their order."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from telehealth.core import lock
from tests.scheduling.test_no_double_booking import await_a_waiter, intruder

PARTIES = [UUID(int=(7 << 64) + n) for n in (3, 1, 4, 2, 5)]  # keys 3, 1, 4, 2, 5
HELD = "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> %s AND pid <> ALL (%s) ORDER BY objid"


def lock_all() -> None:
    try:
        with transaction.atomic():
            lock(*PARTIES)
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", [1, 2, 3, 4, 5])
def test_who_waits_for_one_holds_those_before_it_and_none_after(key: int) -> None:
    with ExitStack() as stack:
        pool, other = stack.enter_context(ThreadPoolExecutor(1)), stack.enter_context(intruder())
        other.execute("SELECT pg_advisory_xact_lock(%s)", [key])
        waiting = pool.submit(lock_all)
        await_a_waiter("SELECT pg_advisory_xact_lock")
        with connection.cursor() as cursor:
            cursor.execute(HELD, [other.info.backend_pid, [connection.connection.info.backend_pid]])
            held = [row[0] for row in cursor.fetchall()]
        other.rollback()
        waiting.result(20)
    assert held == list(range(1, key))
