"""What the promise costs a read: one patient over REST with a bearer token, against a twin that keeps nothing and promises nothing.

All three run through the whole WSGI handler in this process, interleaved; only the client and the network are missing.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, connections, models
from django.http import HttpRequest, HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import path
from rest_framework.response import Response

import config.urls
from audit.ledger import SYSTEM, Act, unit
from audit.ledger.entries import COLUMNS, detail_text, new_row
from audit.ledger.keys import mac
from telehealth.accounts.access import Action, Resource, Role
from telehealth.core import one
from telehealth.records.access import visible
from telehealth.records.models import Patient
from telehealth.records.shapes import PatientOut
from telehealth.rest.faces import Face
from telehealth.vault.cipher import aad, unseal
from telehealth.vault.record_keys import Wrapped
from tests.audit.seeding import owner
from tests.bench.measure import Figure, caller, figure
from tests.cast import make_actor, make_patient
from tests.records.tokens import token_for

ROUNDS, CALLS = 150, 4
SEALED = ("mrn", "family", "given", "birth_date", "gender", "phone", "email", "address", "deceased", "language")
CLEAR = ("id", "account_id", "is_deceased", "version", "changed_at")


class PlainPatient(models.Model):
    """The same columns, as text that anybody may read: the bench makes its table and nobody else has it."""

    id = models.UUIDField(primary_key=True)
    account_id = models.UUIDField(null=True)
    is_deceased = models.BooleanField()
    version = models.IntegerField()
    changed_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True)
    mrn, family, given, birth_date, gender, phone, email, deceased, language = (models.TextField(null=True) for _ in range(9))
    address = models.JSONField(null=True)

    class Meta:
        app_label = "records"
        managed = False
        db_table = "bench_patient"

    def __str__(self) -> str:
        return str(self.pk)


class TwinDetail(Face):
    """`PatientDetail` over the plain table: the same authentication, access table and serializer; no key, no entry."""

    access = (Action.READ, Resource.PATIENT)
    shape_out = {"get": PatientOut}

    def get(self, request: Any, pk: UUID) -> Any:
        patient = one(PlainPatient.objects.filter(visible(self.by, Action.READ, Resource.PATIENT, "")), pk)
        self.etag(patient.version)
        return Response(PatientOut(patient).data)


_BARE = f"""
    WITH entry AS (INSERT INTO audit_entry ({", ".join([*COLUMNS, "mac"])}) VALUES ({", ".join(["%s"] * (len(COLUMNS) + 1))}))
    SELECT {", ".join(f"p.{name}" for name in (*CLEAR, *SEALED))}, k.version, k.kek_id, k.wrapped
    FROM records_patient p JOIN vault_recordkey k ON k.record_id = p.id WHERE p.id = %s
"""


def bare(request: HttpRequest, pk: UUID) -> HttpResponse:
    """By hand, for nobody in particular: one statement reads and records, then the fields are opened."""
    detail = detail_text({f"records.Patient:{pk}": sorted(SEALED)})
    row = new_row(act=Act.RECORD_OPENED, record_id=pk, role="patient", channel="REST", purpose="TREAT", detail=detail)
    with connection.cursor() as cursor:
        cursor.execute(_BARE, [*(getattr(row, name) for name in COLUMNS), mac(row.text()), pk])
        found = cursor.fetchone()
    key = Wrapped(found[-3], found[-2], bytes(found[-1])).open()
    shown = dict(zip(CLEAR, found, strict=False))
    for name, sealed in zip(SEALED, found[len(CLEAR) : -3], strict=True):
        shown[name] = None if sealed is None else unseal(key, bytes(sealed), aad("records.patient", name, pk, pk)).decode()
    return HttpResponse(json.dumps(shown, default=str), content_type="application/json")


urlpatterns = [path("api/v1/twins/<uuid:pk>/", TwinDetail.as_view()), path("bare/<uuid:pk>/", bare), *config.urls.urlpatterns]


def figures() -> Iterator[Figure]:
    settings.ROOT_URLCONF = "tests.bench.reads"
    settings.SECURE_SSL_REDIRECT = False
    with unit(SYSTEM, channel="command"):
        pia = make_actor("pia", Role.PATIENT)
        pk = make_patient("Quill", "Pia", pia.id, email="pia@example.org").pk
        token = token_for(pia)
        _make_twin(pk)
    calls = {
        "audited": caller(f"/api/v1/patients/{pk}/", token),
        "twin": caller(f"/api/v1/twins/{pk}/", token),
        "bare": caller(f"/bare/{pk}/", token),
    }
    with CaptureQueriesContext(connection) as statements:
        said = {name: json.loads(call()) for name, call in calls.items()}
    assert said["audited"] == said["twin"]
    assert said["bare"]["family"] == "Quill"
    with CaptureQueriesContext(connection) as statements:
        calls["audited"]()
    yield figure("reads.statements", len(statements), "statements", 3)
    times = _interleaved(calls)
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    for name, taken in middle.items():
        yield figure(f"reads.{name}", CALLS / taken, "per second")
    yield figure("reads.audited_to_twin", _share(times, "twin"), "share of the throughput", 0.7)
    yield figure("reads.audited_to_bare", _share(times, "bare"), "share of the throughput")


def _share(times: Mapping[str, list[float]], other: str) -> float:
    """Median over rounds of how fast the audited read is beside the other of the same round."""
    return statistics.median(theirs / ours for theirs, ours in zip(times[other], times["audited"], strict=True))


def _interleaved(calls: Mapping[str, Callable[[], bytes]]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for turn in range(ROUNDS):
        for name in names[turn % 3 :] + names[: turn % 3]:  # each goes first as often as the others
            began = time.perf_counter()
            for _ in range(CALLS):
                calls[name]()
            times[name].append(time.perf_counter() - began)
    return times


def _make_twin(pk: UUID) -> None:
    """The plaintext table, made and filled by the owner from what the patient's row says."""
    row = Patient.objects.get(pk=pk)
    values = {name: getattr(row, name) for name in (*CLEAR, *SEALED)}
    values["address"] = json.dumps(values["address"])
    with owner() as made:
        columns = ", ".join(f"{name} text" for name in SEALED if name != "address")
        made.execute(
            "CREATE TABLE bench_patient (id uuid PRIMARY KEY, account_id uuid UNIQUE, is_deceased boolean, version integer, "
            f"changed_at timestamptz, destroyed_at timestamptz, address jsonb, {columns})".encode()
        )
        places = ", ".join(["%s"] * len(values))
        made.execute(f"INSERT INTO bench_patient ({', '.join(values)}) VALUES ({places})".encode(), list(values.values()))
        made.execute(f"GRANT SELECT ON bench_patient TO {connections['default'].settings_dict['USER']}".encode())
