"""C6: no party twice at once, whatever path writes. Each test tries to break it."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction

from audit.ledger import SYSTEM, unit, uuid7
from scheduling import services
from scheduling.errors import PatientBusy, SlotTaken
from scheduling.models import Appointment, Occupancy
from telehealth.core import lock
from telehealth.core.errors import Conflict
from telehealth.records.models import Patient
from tests.conftest import AsOwner
from tests.people import Browser, ClientFor, body
from tests.scheduling.conftest import Clinic

NO_PARTY_TWICE = "occupancy_no_party_twice_at_once"
HOLDS_ITS_TIME = "appointment_holds_its_time"
BY_WHOM_AND_WHY = "appointment_overbooked_by_whom_and_why"
OVERLAPPING = """SELECT count(*) FROM scheduling_occupancy a JOIN scheduling_occupancy b
    ON a.party = b.party AND a.id < b.id AND a.live AND b.live AND a.during && b.during"""
ROW = (
    "INSERT INTO scheduling_occupancy (id, party, kind, during, live, appointment_id)"
    " VALUES (%s, %s, 'patient', tstzrange(%s, %s), true, %s)"
)


def violated(statement: str, *parameters: Any) -> str:
    """The constraint that stops this statement of the runtime role, at the latest when its transaction ends."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert isinstance(caught.value.__cause__, psycopg.Error)
    return caught.value.__cause__.diag.constraint_name or ""


def overlaps() -> int:
    with connection.cursor() as cursor:
        cursor.execute(OVERLAPPING)
        return int(cursor.fetchone()[0])


@pytest.fixture
def two(clinic: Clinic) -> tuple[Appointment, Appointment]:
    """Pia and Ned with Dr Cho, one after the other."""
    return services.book(**clinic.wish()), services.book(**clinic.wish(10) | {"patient_id": clinic.ned_record.pk})


def test_no_row_can_be_written_into_taken_time(two: tuple[Appointment, Appointment], clinic: Clinic) -> None:
    for party in (clinic.dr_cho.pk, clinic.pia_record.pk):
        assert violated(ROW, uuid4(), party, clinic.start(9), clinic.start(20), two[0].pk) == NO_PARTY_TWICE
    assert violated(ROW, uuid4(), uuid4(), clinic.start(5), clinic.start(5), two[0].pk) == "occupancy_takes_some_time"


def test_no_row_can_be_moved_into_taken_time(two: tuple[Appointment, Appointment], clinic: Clinic) -> None:
    at = "UPDATE scheduling_occupancy SET during = tstzrange(%s, %s) WHERE appointment_id = %s"
    assert violated(at, clinic.start(), clinic.start(10), two[1].pk) == NO_PARTY_TWICE
    whose = "UPDATE scheduling_occupancy SET party = %s, during = %s WHERE appointment_id = %s AND party = %s"
    during = Occupancy.objects.filter(appointment=two[0]).values_list("during", flat=True)[0]
    assert violated(whose, clinic.dr_cho.pk, during, two[1].pk, clinic.ned_record.pk) == NO_PARTY_TWICE


def test_no_cancelled_row_comes_back_to_life_over_another(two: tuple[Appointment, Appointment], clinic: Clinic) -> None:
    services.cancel(appointment_id=two[0].pk, reason="pat", by=clinic.desk.by)
    services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})
    assert violated("UPDATE scheduling_occupancy SET live = true WHERE appointment_id = %s", two[0].pk) == NO_PARTY_TWICE
    again = "UPDATE scheduling_appointment SET status = 'booked', cancelled_reason = '' WHERE id = %s"
    assert violated(again, two[0].pk) == HOLDS_ITS_TIME


def test_no_appointment_stands_without_holding_its_time(two: tuple[Appointment, Appointment], clinic: Clinic) -> None:
    columns = ", ".join(
        field.column for field in Appointment._meta.concrete_fields if field.column not in {"id", "starts_at", "ends_at", "status"}
    )
    copy = f"""INSERT INTO scheduling_appointment (id, starts_at, ends_at, status, {columns})
        SELECT %s, %s, %s, 'booked', {columns} FROM scheduling_appointment WHERE id = %s"""
    assert violated(copy, uuid7(), clinic.start(), clinic.start(10), two[0].pk) == HOLDS_ITS_TIME
    assert violated(copy, uuid7(), clinic.start(60), clinic.start(70), two[0].pk) == HOLDS_ITS_TIME


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM scheduling_occupancy WHERE appointment_id = %s",
        "UPDATE scheduling_occupancy SET live = false WHERE appointment_id = %s",
        "UPDATE scheduling_occupancy SET during = tstzrange(lower(during), upper(during) - interval '1 second') WHERE appointment_id = %s",
        "UPDATE scheduling_occupancy SET party = gen_random_uuid() WHERE appointment_id = %s",
        "UPDATE scheduling_appointment SET starts_at = starts_at + interval '5 s' , ends_at = ends_at + interval '5 s' WHERE id = %s",
        "UPDATE scheduling_appointment SET ends_at = ends_at + interval '1 hour' WHERE id = %s",
        "UPDATE scheduling_appointment SET practitioner_id = (SELECT id FROM records_practitioner WHERE family = 'Dee') WHERE id = %s",
    ],
)
def test_the_time_of_a_standing_appointment_cannot_be_taken_away(two: tuple[Appointment, Appointment], statement: str) -> None:
    assert violated(statement, two[0].pk) == HOLDS_ITS_TIME


def test_time_cannot_be_lent_from_one_appointment_to_another(two: tuple[Appointment, Appointment]) -> None:
    assert violated("UPDATE scheduling_occupancy SET appointment_id = %s WHERE appointment_id = %s", two[1].pk, two[0].pk) == HOLDS_ITS_TIME


@pytest.mark.parametrize(
    "change",
    [
        "overbooked_by = gen_random_uuid()",
        "overbooked_by = gen_random_uuid(), overbooked_code = 'urgent'",
        "overbooked_by = gen_random_uuid(), overbooked_code = 'because', overbooked_reason = '\\x00'",
        "overbooked_code = 'urgent', overbooked_reason = '\\x00'",
    ],
)
def test_no_overbooking_without_who_and_why(two: tuple[Appointment, Appointment], change: str) -> None:
    assert violated(f"UPDATE scheduling_appointment SET {change} WHERE id = %s", two[0].pk) == BY_WHOM_AND_WHY


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("status = 'cancelled'", "appointment_cancelled_for_a_reason"),
        ("status = 'cancelled', cancelled_reason = 'because'", "appointment_cancelled_for_a_reason"),
        ("cancelled_reason = 'pat'", "appointment_cancelled_for_a_reason"),
        ("status = 'gone'", "appointment_status_is_of_fhir"),
        ("ends_at = starts_at", "appointment_ends_after_it_starts"),
    ],
)
def test_an_appointment_says_how_it_stands(two: tuple[Appointment, Appointment], change: str, name: str) -> None:
    assert violated(f"UPDATE scheduling_appointment SET {change} WHERE id = %s", two[0].pk) == name


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE scheduling_occupancy DROP CONSTRAINT occupancy_no_party_twice_at_once",
        "ALTER TABLE scheduling_appointment DISABLE TRIGGER ALL",
        "DROP TRIGGER occupancy_is_kept ON scheduling_occupancy",
        "SET session_replication_role = replica",
    ],
)
def test_the_runtime_role_cannot_switch_the_guards_off(db: None, statement: str) -> None:
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_not_even_the_owner_books_a_party_twice(clinic: Clinic, as_owner: AsOwner) -> None:
    made = services.book(**clinic.wish())
    with pytest.raises(psycopg.errors.ExclusionViolation):
        as_owner(ROW, uuid4(), clinic.dr_cho.pk, clinic.start(), clinic.start(10), made.pk)
    with pytest.raises(psycopg.errors.CheckViolation):
        as_owner("DELETE FROM scheduling_occupancy WHERE appointment_id = %s", made.pk)


def at_once(wishes: list[Callable[[], object]]) -> list[str]:
    """All of them at the same moment, each on a connection of its own; what came of each: "ok" or the name of the error."""
    gate = threading.Barrier(len(wishes))

    def run(wish: Callable[[], object]) -> str:
        try:
            with unit(SYSTEM, channel="task"):
                connection.ensure_connection()
                gate.wait(30)
                wish()
            return "ok"
        except Exception as error:  # noqa: BLE001 - any other than a conflict is what the tests look for
            return error.code if isinstance(error, Conflict) else repr(error)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(wishes)) as pool:
        return list(pool.map(run, wishes))


def crowd(many: int) -> Iterator[UUID]:
    for n in range(many):
        yield Patient.objects.create(mrn=f"CROWD-{n}", family="Crowd", address={"state": "MA"}).pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("many", [40, pytest.param(80, marks=pytest.mark.storm)])
def test_of_many_who_want_one_slot_exactly_one_gets_it(clinic: Clinic, many: int) -> None:
    wishes = [lambda pk=pk: services.book(**clinic.wish() | {"patient_id": pk}) for pk in crowd(many)]
    began = time.monotonic()
    outcomes = Counter(at_once(wishes))
    took = time.monotonic() - began
    assert outcomes == {"ok": 1, "slot_taken": many - 1}
    assert Occupancy.objects.filter(live=True).count() == 2
    assert took < 0.4 * many  # a deadlock apiece takes a second each


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("many", [40, pytest.param(200, marks=pytest.mark.storm)])
def test_over_rest_one_is_told_201_and_all_others_409(clinic: Clinic, client_for: ClientFor, many: int) -> None:
    wish = {"practitioner": str(clinic.dr_cho.pk), "visit_type": "video-10", "starts_at": clinic.start().isoformat()}
    desks = [(client_for(clinic.desk), {**wish, "patient": str(pk)}) for pk in crowd(many)]
    replies: list[tuple[int, str]] = []

    def serve(waiting: list[tuple[Browser, dict[str, str]]]) -> None:
        for desk, asked in waiting:
            reply = desk.post("/api/v1/appointments/", asked)
            replies.append((reply.status_code, body(reply).get("code", "")))

    # All have come when the first is served, by as many threads as a server may have: each has a connection to the database.
    assert at_once([partial(serve, desks[n::40]) for n in range(40)]) == ["ok"] * 40
    assert Counter(replies) == {(201, ""): 1, (409, "slot_taken"): many - 1}


@pytest.mark.django_db(transaction=True)
def test_crossing_parties_neither_deadlock_nor_overlap(clinic: Clinic) -> None:
    wishes = [
        lambda patient=patient, practitioner=practitioner, n=n: services.book(
            **clinic.wish(10 * (n % 2)) | {"patient_id": patient.pk, "practitioner_id": practitioner.pk}
        )
        for n in range(6)
        for patient in (clinic.pia_record, clinic.ned_record)
        for practitioner in (clinic.dr_cho, clinic.dr_dee)
    ]
    outcomes = Counter(at_once(wishes))
    assert outcomes.keys() <= {"ok", "slot_taken", "patient_busy"}
    # Of two patients and two providers at two times, four at most fit; with none left over that would still fit, two at least.
    assert 2 <= outcomes["ok"] <= 4
    assert overlaps() == 0


@pytest.mark.django_db(transaction=True)
def test_cancelling_and_booking_at_once_leaves_whole_appointments(clinic: Clinic) -> None:
    made = services.book(**clinic.wish())
    cancel = [lambda: services.cancel(appointment_id=made.pk, reason="pat", by=clinic.desk.by)]
    book = [lambda pk=pk: services.book(**clinic.wish() | {"patient_id": pk}) for pk in crowd(8)]
    outcomes = Counter(at_once(cancel * 2 + book))
    assert outcomes.keys() <= {"ok", "slot_taken", "appointment_status"}
    assert outcomes["appointment_status"] == 1
    assert 1 <= outcomes["ok"] <= 2
    assert overlaps() == 0


@pytest.mark.django_db(transaction=True)
def test_around_the_locks_the_constraint_decides(clinic: Clinic) -> None:
    made = services.book(**clinic.wish(60))
    party, during = uuid4(), (clinic.start(), clinic.start(10))
    outcomes = at_once([lambda: Occupancy.objects.create(party=party, kind="patient", during=during, appointment=made) for _ in range(3)])
    assert outcomes.count("ok") == 1
    assert overlaps() == 0


def await_a_waiter(statement: str) -> None:
    """Until some session stands in a lock queue with this statement."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s", [f"{statement}%"])
            if cursor.fetchone()[0]:
                return
        time.sleep(0.005)  # nobody tells us when somebody else begins to wait
    raise AssertionError("nobody waits")


def intruder() -> psycopg.Connection:
    settings = connection.settings_dict
    return psycopg.connect(dbname=settings["NAME"], **{name: settings[name.upper()] for name in ("host", "port", "user", "password")})


@pytest.mark.django_db(transaction=True)
def test_whoever_books_waits_for_whoever_has_the_parties(clinic: Clinic) -> None:
    for n, party in enumerate((clinic.pia_record.pk, clinic.dr_cho.pk)):
        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                lock(party)
                ours = pool.submit(at_once, [lambda n=n: services.book(**clinic.wish(10 * n))])
                await_a_waiter("SELECT pg_advisory_xact_lock")
                assert not Occupancy.objects.filter(during__contains=clinic.start(10 * n)).exists()
            assert ours.result(20) == ["ok"]


def entangle(clinic: Clinic, made: Appointment, minutes: int) -> tuple[bool, list[str]]:
    """Somebody who takes no locks holds one party's time and then wants the other's, while we hold that and want the first.

    Whether the deadlock struck us and not them, and what came of our booking.
    """
    first, second = sorted((clinic.pia_record.pk, clinic.dr_cho.pk))
    during = (clinic.start(minutes), clinic.start(minutes + 10))
    with intruder() as other, ThreadPoolExecutor(1) as pool:
        other.execute(ROW, (uuid4(), second, *during, made.pk))
        ours = pool.submit(at_once, [lambda: services.book(**clinic.wish(minutes))])
        await_a_waiter('INSERT INTO "scheduling_occupancy"')
        try:
            other.execute(ROW, (uuid4(), first, *during, made.pk))
        except psycopg.errors.DeadlockDetected:
            struck_us = False
        else:
            struck_us = True
        other.rollback()
        return struck_us, ours.result(20)


@pytest.mark.django_db(transaction=True)
def test_a_deadlock_is_tried_once_more(clinic: Clinic) -> None:
    made = services.book(**clinic.wish(120) | {"patient_id": clinic.ned_record.pk})
    for attempt in range(6):  # on a busy machine it may strike the other side, which proves nothing
        struck_us, outcome = entangle(clinic, made, 10 * attempt)
        assert outcome == ["ok"]
        if struck_us:
            return
    raise AssertionError("no deadlock struck us")


def test_a_hold_that_ran_out_stands_in_nobodys_way(clinic: Clinic) -> None:
    made = services.book(**clinic.wish(60))
    ended = clinic.start() - timedelta(days=2)
    Occupancy.objects.create(
        party=clinic.dr_cho.pk, kind="provider", during=(clinic.start(), clinic.start(10)), appointment=made, held_until=ended
    )
    services.book(**clinic.wish())
    with pytest.raises((SlotTaken, PatientBusy)):
        services.book(**clinic.wish())
