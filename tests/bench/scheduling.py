"""Slot search over a busy clinic, and booking."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from datetime import time as clock
from itertools import cycle
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.ledger import SYSTEM, Actor, unit, uuid7
from scheduling import selectors, services
from scheduling.errors import PatientBusy, SlotTaken
from scheduling.models import Appointment, VisitType
from scheduling.spans import moment
from telehealth.accounts.access import Role
from telehealth.core import now
from telehealth.records.models import License, Patient, Practitioner
from tests.bench.measure import Figure, caller, figure
from tests.cast import make_actor
from tests.records.tokens import token_for

ZONE = ZoneInfo("America/New_York")
PROVIDERS, ALL_PROVIDERS, PATIENTS, PER_PROVIDER = 50, 200, 100, 2_000
DESK = Actor(id=uuid7(), role=Role.FRONT_DESK, second_factor_at=None)


def figures() -> Iterator[Figure]:
    """50 providers with 100,000 appointments behind and before them, and 150 more who are free."""
    with unit(SYSTEM, channel="command"):
        kind = services.define_visit_type(code="bench", name="Bench", minutes=30, step_minutes=15, buffer_after=10, by=SYSTEM)
        patients = Patient.objects.bulk_create(Patient(mrn=f"BENCH-{n}", address={"state": "MA"}) for n in range(PATIENTS))
        providers = Practitioner.objects.bulk_create(
            Practitioner(account_id=uuid7(), timezone=ZONE.key, specialty="Bench" if n < PROVIDERS else "Other")
            for n in range(ALL_PROVIDERS)
        )
        License.objects.bulk_create(License(practitioner=each, state="MA", valid_from=date(2020, 1, 1)) for each in providers)
        for provider in providers:
            _week(provider)
        _fill(kind, providers, patients)
    yield from _searching()
    yield from _booking(patients)


def _week(provider: Practitioner) -> None:
    rule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    services.open_hours(practitioner_id=provider.pk, rrule=rule, starts=clock(9), ends=clock(17), timezone=ZONE.key, by=SYSTEM)


# Every third hour of each provider is taken, from long ago into the weeks that are searched: by the provider's and a patient's row.
FILL = """
WITH made AS (
    INSERT INTO scheduling_appointment (id, patient_id, practitioner_id, visit_type_id, status, starts_at, ends_at, reason,
        patient_state, cancelled_reason, cancelled_late, overbooked_code, created_at, version, sequence)
    SELECT gen_random_uuid(), (%(patients)s::uuid[])[1 + (who + n) %% %(others)s], (%(providers)s::uuid[])[who], %(kind)s,
        CASE WHEN at < now() THEN 'fulfilled' ELSE 'booked' END, at, at + interval '30 minutes', ''::bytea, 'MA', '', false, '', now(), 1, 0
    FROM generate_series(1, cardinality(%(providers)s::uuid[])) AS who, generate_series(0, %(each)s - 1) AS n,
        LATERAL (SELECT %(begin)s + n * interval '3 hours' AS at) times
    RETURNING id, patient_id, practitioner_id, starts_at, ends_at
)
INSERT INTO scheduling_occupancy (id, party, kind, during, live, appointment_id)
SELECT gen_random_uuid(), patient_id, 'patient', tstzrange(starts_at, ends_at), true, id FROM made
UNION ALL
SELECT gen_random_uuid(), practitioner_id, 'provider', tstzrange(starts_at, ends_at + interval '10 minutes'), true, id FROM made
"""


def _fill(kind: VisitType, providers: list[Practitioner], patients: list[Patient]) -> None:
    begin = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3 * (PER_PROVIDER - 160))
    given = {"kind": kind.pk, "each": PER_PROVIDER, "begin": begin}
    given |= {"others": PATIENTS, "patients": [each.pk for each in patients], "providers": [each.pk for each in providers[:PROVIDERS]]}
    with connection.cursor() as cursor:
        cursor.execute(FILL, given)
    assert Appointment.objects.count() == PROVIDERS * PER_PROVIDER


def _searching() -> Iterator[Figure]:
    """Through the whole WSGI handler in this process: an app's token, the access table, JSON."""
    with unit(SYSTEM, channel="command"):
        token = token_for(make_actor("pia", Role.PATIENT))
    asked = {"visit_type": "bench", "zone": ZONE.key, "limit": 100, "to": (now() + timedelta(days=14)).isoformat()}
    some = caller(f"/api/v1/slots/?{urlencode({**asked, 'specialty': 'Bench'})}", token)
    assert len(json.loads(some())["results"]) == 100
    yield figure("scheduling.slots_50_providers_14_days_p95", _p95(some), "ms", 50)
    first = caller(f"/api/v1/slots/?{urlencode({'visit_type': 'bench', 'zone': ZONE.key, 'limit': 1})}", token)
    assert len(json.loads(first())["results"]) == 1
    yield figure("scheduling.first_available_200_providers_p95", _p95(first), "ms", 150)


def _p95(call: Callable[[], object], rounds: int = 40) -> float:
    call()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(taken, n=20)[-1]


def _booking(patients: list[Patient]) -> Iterator[Figure]:
    """Distinct slots, one after the other, by the service: what a request adds is measured where requests are."""
    with unit(SYSTEM, channel="command"):
        found = selectors.slots(DESK, visit_type="bench", since=now() + timedelta(days=21), zone=ZONE, limit=20_000)
    offers = iter(found.offers[:: len(found.offers) // 800])
    whose = cycle(patients)

    def book() -> None:
        start, provider = next(offers)
        wish = {"patient_id": next(whose).pk, "practitioner_id": UUID(int=provider), "visit_type": "bench", "starts_at": moment(start)}
        with unit(SYSTEM, channel="command"), suppress(SlotTaken, PatientBusy):
            services.book(**wish, by=DESK)

    book()
    with CaptureQueriesContext(connection) as statements:
        book()
    yield figure("scheduling.booking_statements", len(statements), "statements", 14)
    began = time.perf_counter()
    for _ in range(300):
        book()
    yield figure("scheduling.bookings", 300 / (time.perf_counter() - began), "per second")
