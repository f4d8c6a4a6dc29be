"""What a booking through REST costs beside a bare view that makes the same INSERTs, and a crowd that wants one slot.

All run through the whole WSGI handler in this process; only the client and the network are missing.
"""

import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime, timedelta
from datetime import time as clock
from io import BytesIO
from itertools import count
from threading import Barrier
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections, models, transaction
from django.http import HttpRequest, HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

import config.urls
from audit.ledger import SYSTEM, Act, unit, uuid7
from audit.ledger.entries import new_row
from audit.ledger.keys import mac
from audit.ledger.models import Entry
from scheduling import services
from scheduling.models import Occupancy
from telehealth.accounts.access import Role
from telehealth.core import now
from telehealth.outbox.models import Message
from telehealth.records.models import CareRelationship, Practitioner
from tests.bench.measure import Figure, figure
from tests.cast import make_actor, make_patient, make_practitioner
from tests.records.tokens import token_for

ROUNDS, CALLS, CROWD, THREADS, LONGEST = 40, 5, 200, 40, 60
FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
TEN = timedelta(minutes=10)
BARE: dict[str, Any] = {}


class PlainAppointment(models.Model):
    """The same row for whoever seals nothing."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient_id, practitioner_id, visit_type_id = (models.UUIDField() for _ in range(3))
    group_visit_id, series_id, overbooked_by, created_by = (models.UUIDField(null=True) for _ in range(4))
    status, cancelled_reason, overbooked_code, patient_state = (models.CharField(max_length=16, default="") for _ in range(4))
    starts_at, ends_at, created_at = (models.DateTimeField() for _ in range(3))
    confirmed_at = models.DateTimeField(null=True)
    reason = models.BinaryField()
    cancelled_note, overbooked_reason = (models.BinaryField(null=True) for _ in range(2))
    cancelled_late = models.BooleanField(default=False)
    version = models.IntegerField(default=1)
    sequence = models.IntegerField(default=0)

    class Meta:
        app_label = "scheduling"
        managed = False
        db_table = "scheduling_appointment"

    def __str__(self) -> str:
        return str(self.pk)


@csrf_exempt
@transaction.atomic
def bare(request: HttpRequest) -> HttpResponse:
    """The same rows with the same columns, each table's by one call of the ORM: no sign-in, no question, no lock, nothing sealed."""
    start = datetime.fromisoformat(json.loads(request.body)["starts_at"])
    end, who = start + TEN, {"patient_id": BARE["patient"], "practitioner_id": BARE["practitioner"]}
    made = PlainAppointment.objects.create(
        **who, visit_type_id=BARE["kind"], status="booked", starts_at=start, ends_at=end, created_at=now(), reason=b"x" * 40,
        created_by=BARE["account"], patient_state="MA",
    )  # fmt: skip
    Occupancy.objects.bulk_create(
        Occupancy(party=party, kind=kind, during=(start, end), appointment_id=made.pk)
        for party, kind in ((who["patient_id"], "patient"), (who["practitioner_id"], "provider"))
    )
    CareRelationship.objects.create(**who, source="appointment", source_id=made.pk, starts_at=now(), ends_at=end)
    told = {"kind": "appointment_booked", "object_id": made.pk, "person_id": BARE["account"], "ordering_key": str(BARE["account"])}
    Message.objects.bulk_create(Message(destination=channel, key=uuid7().hex, **told) for channel in ("email", "sms"))
    Entry.objects.bulk_create(_entry(act, made.pk) for act in (Act.APPOINTMENT_BOOKED, Act.CARE_BEGUN, Act.RECORD_OPENED))
    return HttpResponse(json.dumps({"id": str(made.pk)}), content_type="application/json", status=201)


def _entry(act: Act, made: UUID) -> Entry:
    """A valid one: its MAC belongs to the row."""
    about = {"record_id": BARE["patient"], "kind": "scheduling.Appointment", "object_pk": str(made), "actor_id": BARE["account"]}
    row = new_row(act=act.value, role="patient", channel="REST", purpose="TREAT", **about)
    return Entry(**asdict(row), mac=mac(row.text()))


urlpatterns = [path("bare/", bare), *config.urls.urlpatterns]


def figures() -> Iterator[Figure]:
    settings.ROOT_URLCONF = "tests.bench.booking"
    settings.SECURE_SSL_REDIRECT = False
    with unit(SYSTEM, channel="command"):
        kind = services.define_visit_type(code="bench", name="Bench", minutes=10, horizon_days=365, by=SYSTEM)
        providers = [_always(f"Dr-{n}") for n in range(3)]
        pia = make_actor("pia", Role.PATIENT)
        patient, token = make_patient("Quill", "Pia", pia.id, email="pia@example.org"), token_for(pia)
        BARE.update(kind=kind.pk, account=pia.id, practitioner=providers[1].pk, patient=make_patient("Plain", "Ned").pk)
    starts = _starts()
    book = _booker("/api/v1/appointments/", token, lambda: _wish(patient.pk, providers[0].pk, next(starts)))
    plain = _booker("/bare/", token, lambda: {"starts_at": next(starts).isoformat()})
    yield from _compared(book, plain)
    yield from _pgbench(kind.pk, patient.pk, providers[1].pk)
    yield from _crowd(providers[2], next(starts))


def _always(name: str) -> Practitioner:
    made = make_practitioner(name, "Dr", uuid7())
    services.open_hours(practitioner_id=made.pk, rrule="FREQ=DAILY", starts=clock.min, ends=clock.min, timezone="UTC", by=SYSTEM)
    return made


def _starts() -> Iterator[datetime]:
    begin = (now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    return (begin + n * TEN for n in count())


def _wish(patient: UUID, practitioner: UUID, start: datetime) -> dict[str, str]:
    asked = {"patient": str(patient), "practitioner": str(practitioner), "visit_type": "bench"}
    return {**asked, "starts_at": start.isoformat(), "reason": "Cough"}


def _booker(address: str, token: str, wish: Callable[[], dict[str, str]]) -> Callable[[], int]:
    handler = WSGIHandler()
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": address, "SERVER_NAME": "localhost", "SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "https", "HTTP_HOST": "localhost", "HTTP_AUTHORIZATION": f"Bearer {token}", "CONTENT_TYPE": "application/json",
    }  # fmt: skip

    def call() -> int:
        told: list[str] = []
        body = json.dumps(wish()).encode()
        given = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body), "wsgi.errors": BytesIO()}
        reply = handler({**environ, **given}, lambda status, *_: told.append(status))
        b"".join(reply)
        reply.close()
        return int(told[0].partition(" ")[0])

    return call


def _compared(book: Callable[[], int], plain: Callable[[], int]) -> Iterator[Figure]:
    assert (book(), plain()) == (201, 201)
    with CaptureQueriesContext(connection) as seen:
        book()
    framed = [each["sql"].startswith(FRAME) for each in seen]
    yield figure("booking.statements", framed.count(False), "statements", 14)
    yield figure("booking.statements_of_the_transaction_itself", framed.count(True), "statements")
    rates: dict[str, list[float]] = {"book": [], "plain": []}
    spent: dict[str, float] = {"book": 0, "plain": 0}
    for turn in range(ROUNDS):
        for name, call in (("book", book), ("plain", plain))[:: 1 if turn % 2 else -1]:
            began, busy = time.perf_counter(), time.process_time()
            assert {call() for _ in range(CALLS)} == {201}
            spent[name] += (time.process_time() - busy) * 1000 / (ROUNDS * CALLS)
            rates[name].append(CALLS / (time.perf_counter() - began))
    yield figure("booking.through_rest", statistics.median(rates["book"]), "per second")
    # Of this process alone, without the database's: what other work on the machine changes least.
    yield figure("booking.through_rest_cpu", spent["book"], "ms")
    yield figure("booking.bare_view_cpu", spent["plain"], "ms")
    yield figure("booking.bare_view", statistics.median(rates["plain"]), "per second")
    shares = [ours / theirs for ours, theirs in zip(rates["book"], rates["plain"], strict=True)]
    yield figure("booking.rest_to_bare", statistics.median(shares), "share of the throughput", 0.5)
    BARE["rate"] = statistics.median(rates["book"])


SCRIPT = """
BEGIN;
INSERT INTO scheduling_appointment (id, patient_id, practitioner_id, visit_type_id, status, starts_at, ends_at, reason, patient_state,
    cancelled_reason, cancelled_late, overbooked_code, created_at, version, sequence)
    VALUES (gen_random_uuid(), '{patient}', '{practitioner}', '{kind}', 'proposed', now(), now() + interval '10 min', '\\x00',
        '', '', false, '', now(), 1, 0)
    RETURNING id AS made \\gset
INSERT INTO scheduling_occupancy (id, party, kind, during, live, appointment_id)
    SELECT gen_random_uuid(), gen_random_uuid(), 'patient', tstzrange(now(), now() + interval '10 min'), true, ':made'
    FROM generate_series(1, 2);
INSERT INTO records_carerelationship (id, patient_id, practitioner_id, source, source_id, starts_at)
    VALUES (gen_random_uuid(), '{patient}', '{practitioner}', 'appointment', ':made', now());
INSERT INTO outbox_message (id, destination, ordering_key, kind, object_id, key, purpose, attempts, state, reason, due_at, created_at)
    SELECT gen_random_uuid(), 'email', '', 'x', ':made', gen_random_uuid()::text, '', 0, 'pending', '', now(), now()
    FROM generate_series(1, 2);
COMMIT;
"""


def _pgbench(kind: UUID, patient: UUID, practitioner: UUID) -> Iterator[Figure]:
    """The database alone: the INSERTs by one client, without the entries, whose MAC it cannot make."""
    binary = shutil.which("pgbench")
    if binary is None:
        yield figure("booking.pgbench_is_not_installed", 1, "fact")
        return
    given = connection.settings_dict
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(SCRIPT.format(kind=kind, patient=patient, practitioner=practitioner))
        script.flush()
        said = subprocess.run(
            [binary, "-n", "-c", "1", "-T", "4", "-f", script.name, "-h", given["HOST"], "-U", given["USER"], given["NAME"]],
            env={"PGPASSWORD": given["PASSWORD"], "PGPORT": str(given["PORT"] or 5432)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    rates = [float(line.split()[2]) for line in said.stdout.splitlines() if line.startswith("tps")]
    if not rates or "error" in said.stderr:
        raise RuntimeError(said.stderr[-400:])
    yield figure("booking.pgbench", rates[0], "per second")
    yield figure("booking.rest_to_pgbench", BARE["rate"] / rates[0], "share of the throughput")


def _crowd(provider: Practitioner, start: datetime) -> Iterator[Figure]:
    """Tokens beforehand; then all at once, served by as many threads as a server has."""
    calls = []
    with unit(SYSTEM, channel="command"):
        for n in range(CROWD):
            who = make_actor(f"crowd-{n}", Role.PATIENT)
            wish = _wish(make_patient("Crowd", str(n), who.id).pk, provider.pk, start)
            calls.append(_booker("/api/v1/appointments/", token_for(who), lambda wish=wish: wish))
    gate = Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        began, busy = time.perf_counter(), time.process_time()
        outcomes = Counter(pool.map(lambda call: call(), calls, timeout=LONGEST))
        took, spent = time.perf_counter() - began, time.process_time() - busy
        list(pool.map(_leave, [gate] * THREADS))
    assert outcomes == {201: 1, 409: CROWD - 1}, outcomes
    yield figure("booking.200_clients_for_one_slot", took, "s", 5)
    yield figure("booking.200_clients_for_one_slot_cpu", spent, "s")


def _leave(gate: Barrier) -> None:
    """Each thread keeps its connection while it serves, as a server's does; the gate sees to it that each comes here once."""
    gate.wait(30)
    connections.close_all()
