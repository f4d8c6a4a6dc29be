"""Patient search by the beginning of a name, over a hundred thousand sealed patients, twenty of them found and opened."""

import statistics
import time
from collections.abc import Iterator
from random import Random
from typing import Any
from unittest import mock
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.ledger import SYSTEM, unit, uuid7
from telehealth.accounts import live, sessions
from telehealth.accounts.access import Role
from telehealth.accounts.models import Session, User
from telehealth.core import now
from telehealth.records.digests import name_tokens
from telehealth.records.models import Patient
from telehealth.vault import keyring, record_keys
from telehealth.vault.models import RecordKey
from tests.bench.measure import Figure, figure
from tests.cast import make_actor
from tests.people import Browser

PATIENTS, ALIKE, SEARCHES, BATCH = 100_000, 20, 200, 2_000
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def figures() -> Iterator[Figure]:
    """As the front desk, over REST; each search meets twenty records that this process has not seen."""
    settings.SECURE_SSL_REDIRECT = False
    with unit(SYSTEM, channel="command"):
        desk = make_actor("desk", Role.FRONT_DESK)
        _fill()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE records_patient")
    browser = _signed_in(desk.account)
    groups = Random(7).sample(range(PATIENTS // ALIKE), SEARCHES + 5)
    taken, worked = [], []
    for turn, group in enumerate(groups):
        record_keys.cache.clear()
        began, busy = time.perf_counter(), time.process_time()
        reply = browser.post("/api/v1/patients/search/", {"name": _family(group)[:5]})
        if turn >= 5:  # warm
            taken.append((time.perf_counter() - began) * 1000)
            worked.append((time.process_time() - busy) * 1000)
        found = reply.json()["results"]
        assert len(found) >= ALIKE and all(each["family"].lower().startswith(_family(group)[:5]) for each in found)
    with CaptureQueriesContext(connection) as statements:
        browser.post("/api/v1/patients/search/", {"name": _family(groups[0])[:5]})
    yield figure("search.name_prefix_100000_p50", statistics.median(taken), "ms")
    yield figure("search.name_prefix_100000_p95", statistics.quantiles(taken, n=20)[-1], "ms", 30)
    yield figure("search.own_processor_time_p95", statistics.quantiles(worked, n=20)[-1], "ms")  # what a busy machine does not add to
    yield figure("search.statements", len(statements), "statements")


def _family(group: int) -> str:
    """Five letters that no other group begins with, and an ending."""
    text, rest = "", group
    for _ in range(5):
        text, rest = text + LETTERS[rest % 26], rest // 26
    return text + "ovsky"


def _fill() -> None:
    """Patients with everything that the front desk is shown; their keys are made ahead, so that none is asked for."""
    chance = Random(1)
    for start in range(0, PATIENTS, BATCH):
        keys: dict[UUID, Any] = {}
        stored = []
        for _ in range(BATCH):
            kek_id, wrapped = keyring.wrap(data := chance.randbytes(32))
            stored.append(RecordKey(record_id=uuid7(), kek_id=kek_id, wrapped=wrapped))
            keys[stored[-1].record_id] = record_keys.DataKey(1, data)
        RecordKey.objects.bulk_create(stored)
        with mock.patch.object(record_keys, "find_or_make", keys.__getitem__):  # each row's own, without a statement a row
            Patient.objects.bulk_create(_patient(pk, start + number) for number, pk in enumerate(keys))


def _patient(pk: UUID, number: int) -> Patient:
    family, given = _family(number // ALIKE).title(), f"Given{number}"
    return Patient(
        pk=pk, mrn=f"MRN-{number}", family=family, given=given, birth_date="1980-05-17", phone="617-555-0100",
        email=f"p{number}@example.org", language="en", name_tokens=name_tokens(family, given),
        address={"line": "1 Elm Street", "city": "Quincy", "state": "MA", "postal_code": "02169", "country": "US"},
    )  # fmt: skip


def _signed_in(account: UUID) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=account))
    session = browser.session
    session[live.SESSION] = str(Session.objects.create(account_id=account, kind=Session.Kind.BROWSER).pk)
    session[sessions.STARTED] = session[sessions.SEEN] = session[sessions.FACTOR] = now().isoformat()
    session.save()
    return browser
