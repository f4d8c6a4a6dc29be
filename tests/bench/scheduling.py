"""Slot search over a busy clinic, and booking."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from datetime import time as clock
from itertools import cycle
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.ledger import SYSTEM, Actor, unit, uuid7
from scheduling import selectors, services
from scheduling.errors import PatientBusy, SlotTaken
from scheduling.models import Appointment, Occupancy, VisitType
from scheduling.spans import moment
from telehealth.accounts.access import Role
from telehealth.core import now
from telehealth.records.models import License, Patient, Practitioner
from tests.bench.measure import Figure, figure

ZONE = ZoneInfo("America/New_York")
PROVIDERS, PATIENTS, PER_PROVIDER = 50, 100, 2_000
DESK = Actor(id=uuid7(), role=Role.FRONT_DESK, second_factor_at=None)


def figures() -> Iterator[Figure]:
    """50 providers, 100,000 occupancies behind and before them."""
    with unit(SYSTEM, channel="command"):
        kind = services.define_visit_type(code="bench", name="Bench", minutes=30, step_minutes=15, buffer_after=10, by=SYSTEM)
        patients = Patient.objects.bulk_create(Patient(mrn=f"BENCH-{n}", address={"state": "MA"}) for n in range(PATIENTS))
        providers = Practitioner.objects.bulk_create(Practitioner(account_id=uuid7(), timezone=ZONE.key) for _ in range(PROVIDERS))
        License.objects.bulk_create(License(practitioner=each, state="MA", valid_from=date(2020, 1, 1)) for each in providers)
        for provider in providers:
            _week(provider)
        _fill(kind, providers, patients[0])
    yield from _searching()
    yield from _booking(patients)


def _week(provider: Practitioner) -> None:
    rule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
    services.open_hours(practitioner_id=provider.pk, rrule=rule, starts=clock(9), ends=clock(17), timezone=ZONE.key, by=SYSTEM)


def _fill(kind: VisitType, providers: list[Practitioner], patient: Patient) -> None:
    """Every third hour of each provider is taken, from long ago into the weeks that are searched."""
    begin = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3 * (PER_PROVIDER - 160))
    half = timedelta(minutes=30)
    for provider in providers:
        # One appointment, over already, stands for all: searching never looks at them.
        over = Appointment.objects.create(
            visit_type=kind, practitioner=provider, patient=patient, starts_at=begin, ends_at=begin + half, status="fulfilled"
        )
        times = (begin + timedelta(hours=3 * n) for n in range(PER_PROVIDER))
        Occupancy.objects.bulk_create(
            Occupancy(party=provider.pk, kind="provider", during=(at, at + half), appointment=over) for at in times
        )


def _searching() -> Iterator[Figure]:
    def search() -> None:
        with unit(SYSTEM, channel="command"):
            page = selectors.slots(DESK, visit_type="bench", until=now() + timedelta(days=14), zone=ZONE, limit=100)
            assert page.offers

    yield figure("scheduling.slots_50_providers_14_days_p95", _p95(search), "ms", 50)


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
