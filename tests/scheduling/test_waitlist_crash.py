"""The chain of offers with a real axe: workers are killed at every step of it, and the next one goes on."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connections

from scheduling import services, tasks
from scheduling.models import Appointment, Occupancy, WaitlistEntry
from telehealth.outbox.models import Message
from tests.people import MakeAccount
from tests.scheduling.conftest import Clinic
from tests.scheduling.waiters import Waiters, offers, open_offer, run_out

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = ("appointment", "occupancy", "waitlistoffer", "waitlistentry")
STEPS = [*(f"scheduling_{name}" for name in WRITTEN), "audit_entry", "outbox_message"]


def worker() -> "subprocess.Popen[bytes]":
    """One pass on this test's database, as the runtime role."""
    address = urlsplit(os.environ["DATABASE_URL"])
    url = urlunsplit(address._replace(path="/" + connections["default"].settings_dict["NAME"]))
    return subprocess.Popen([sys.executable, "-m", "tests.scheduling.waitlist_worker"], cwd=ROOT, env=os.environ | {"DATABASE_URL": url})


@contextmanager
def writes_held_up(table: str) -> Iterator[psycopg.Connection]:
    """Whoever writes to the table waits: there the worker stands when it is killed."""
    known = connections["owner"].settings_dict
    address = {"host": known["HOST"], "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
    with psycopg.connect(dbname=connections["default"].settings_dict["NAME"], **address) as connection:
        connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
        yield connection
        connection.rollback()


def someone_waits(connection: psycopg.Connection, table: str) -> bool:
    """Whether a backend has asked for what this connection holds; looked at for as long as a worker may take to get there."""
    asked = b"SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
    until = time.monotonic() + 40
    while time.monotonic() < until:
        if (row := connection.execute(asked, [table]).fetchone()) and row[0]:
            return True
        time.sleep(0.05)
    return False


def kill_at(table: str) -> None:
    with writes_held_up(table) as connection:
        process = worker()
        got_there = someone_waits(connection, table)
        process.kill()
        process.wait()
    assert got_there, f"the worker got as far as writing to {table}"


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_at_any_step_loses_and_doubles_nothing(clinic: Clinic, make_account: MakeAccount) -> None:
    waiters = Waiters(clinic, make_account)
    entries = [waiters.join(waiters.patient(name)) for name in "ABCDEF"]
    for table, entry in zip(STEPS, entries, strict=True):
        kill_at(table)
        gone = open_offer()  # another goes on
        assert gone.entry_id == entry.pk, table
        assert Message.objects.filter(kind="waitlist_offer", object_id=gone.pk).values("destination").distinct().count() >= 1
        assert not _doubled(gone.pk), table
        held = Occupancy.objects.filter(party=waiters.few.pk, live=True)
        assert [row.appointment_id for row in held] == [gone.appointment_id], table
        if table in STEPS[::2]:
            services.decline_offer(offer_id=gone.pk, by=clinic.desk.by)
        else:
            run_out(gone)
    tasks.offer_freed()
    assert [offer.entry_id for offer in offers()] == [entry.pk for entry in entries], "each was offered it once, in order"
    assert set(WaitlistEntry.objects.values_list("status", flat=True)) == {"waiting"}
    assert Appointment.objects.filter(status="pending").count() == 0


def _doubled(offer: object) -> bool:
    keys = list(Message.objects.filter(kind="waitlist_offer", object_id=offer).values_list("destination", flat=True))
    return len(keys) != len(set(keys))
