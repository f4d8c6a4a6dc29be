"""C1 over every channel: what left is on record, and when it cannot be put on record nothing leaves."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from celery.exceptions import Retry
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client
from pytest_django import Settings

from audit.ledger import EntryNotWritten
from audit.ledger.models import Entry
from config.celery import app
from telehealth.records.models import Patient
from tests.audit.faces import Reader, family_of

pytestmark = pytest.mark.django_db(transaction=True)
AsOwner = Callable[..., list[tuple[Any, ...]]]
NAME = "Marguerite-Oakenshade"


@pytest.fixture
def patient(settings: Settings) -> Patient:
    settings.ROOT_URLCONF = "tests.audit.faces"
    settings.SECURE_SSL_REDIRECT = False
    made = Patient(mrn=uuid4().hex, family=NAME, given="Ada")
    made.save()
    return made


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@contextmanager
def unwritable(as_owner: AsOwner) -> Iterator[None]:
    """No entry can be written, as if the log's disk were full."""
    as_owner("REVOKE INSERT ON audit_entry FROM tele_app")
    names = as_owner(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.column_privileges "
        "WHERE table_name = 'audit_entry' AND grantee = 'tele_app' AND privilege_type = 'INSERT'"
    )[0][0]
    if names:
        as_owner(f"REVOKE INSERT ({names}) ON audit_entry FROM tele_app")
    try:
        yield
    finally:
        columns = "id, mac, act, action, actor_id, channel, cid, client, detail, kind, object_pk, outcome, purpose, reason"
        as_owner(f'GRANT INSERT ({columns}, record_id, role, session, "timestamp") ON audit_entry TO tele_app')


def entries(patient: Patient, **wanted: Any) -> list[Entry]:
    return list(Entry.objects.filter(record_id=patient.pk, **wanted).order_by("id"))


def test_a_page_leaves_after_its_entry(client: Client, patient: Patient) -> None:
    reply = client.get(f"/read/{patient.pk}")

    assert reply.content.decode() == NAME
    (entry,) = entries(patient)
    assert json.loads(entry.detail) == {f"records.Patient:{patient.pk}": ["family"]}
    assert entry.cid == reply.headers["X-Request-Id"]
    assert entry.channel == "portal"


FACES = ["read/{0}", "write/{0}", "form/{0}", "stream/{0}", "export", "people/records/patient/", "swallow/{0}"]


@pytest.mark.parametrize("path", FACES)
def test_nothing_leaves_when_the_entry_cannot_be_written(client: Client, patient: Patient, as_owner: AsOwner, path: str) -> None:
    with unwritable(as_owner):
        reply = client.get("/" + path.format(patient.pk))
        body = reply.content

    assert reply.status_code == 503
    assert reply.headers["Retry-After"]
    assert NAME.encode() not in body
    assert b"nothing were wrong" not in body
    assert entries(patient) == []
    assert as_owner("SELECT version FROM records_patient WHERE id = %s", patient.pk) == [(1,)]


def test_people_get_a_page_and_programs_a_problem(client: Client, patient: Patient, as_owner: AsOwner) -> None:
    with unwritable(as_owner):
        page = client.get(f"/read/{patient.pk}", headers={"accept": "text/html,*/*"})
        problem = client.get(f"/read/{patient.pk}", headers={"accept": "application/json"})

    assert (page.status_code, problem.status_code) == (503, 503)
    assert page["Content-Type"].startswith("text/html")
    assert b"Please wait a moment" in page.content
    assert problem.json()["code"] == "audit_unavailable"
    assert NAME.encode() not in page.content + problem.content


def test_a_write_that_cannot_be_put_on_record_is_undone(client: Client, patient: Patient, as_owner: AsOwner) -> None:
    before = as_owner("SELECT given FROM records_patient WHERE id = %s", patient.pk)
    with unwritable(as_owner):
        assert client.get(f"/write/{patient.pk}").status_code == 503
    assert as_owner("SELECT given FROM records_patient WHERE id = %s", patient.pk) == before


def test_a_write_carries_its_openings_in_its_own_transaction(client: Client, patient: Patient, as_owner: AsOwner) -> None:
    assert client.get(f"/write/{patient.pk}").status_code == 200
    rows = as_owner("SELECT act, xid::text FROM audit_entry WHERE record_id = %s ORDER BY id", patient.pk)
    assert {act for act, _ in rows} == {"object.accessed", "record.opened"}
    assert len({xid for _, xid in rows}) == 1


def test_a_rollback_erases_the_act_but_not_what_was_seen_or_refused(client: Client, patient: Patient) -> None:
    assert client.get(f"/roll-back/{patient.pk}").content.decode() == NAME
    assert {entry.act for entry in entries(patient)} == {"record.opened", "refused"}


def test_a_failing_commit_loses_no_opening(client: Client, patient: Patient) -> None:
    assert client.get(f"/fail-to-commit/{patient.pk}").status_code == 500
    assert [entry.act for entry in entries(patient)] == ["record.opened"]


def test_a_form_and_an_admin_list_leave_after_their_entries(client: Client, patient: Patient) -> None:
    for path in ("form/{0}", "people/records/patient/"):
        before = len(entries(patient))
        assert NAME in client.get("/" + path.format(patient.pk)).content.decode()
        (entry,) = entries(patient)[before:]
        assert json.loads(entry.detail) == {f"records.Patient:{patient.pk}": ["family"]}


def test_an_export_is_an_entry_for_each_record_in_it(client: Client, patient: Patient) -> None:
    others = [Patient.objects.create(mrn=uuid4().hex, family=f"Other-{number}") for number in range(4)]
    reply: Any = client.get("/export")
    lines = b"".join(reply.streaming_content).decode().splitlines()
    assert len(lines) >= 5
    for each in [patient, *others]:
        assert len(entries(each)) == 1


def test_a_stream_is_on_record_before_its_headers(client: Client, patient: Patient) -> None:
    client.get(f"/stream/{patient.pk}")  # not a chunk of it has been asked for
    assert [json.loads(entry.detail) for entry in entries(patient)] == [{f"records.Patient:{patient.pk}": ["family"]}]


def test_a_stream_breaks_when_a_later_entry_cannot_be_written(client: Client, patient: Patient, as_owner: AsOwner) -> None:
    reply: Any = client.get(f"/stream/{patient.pk}")
    chunks, seen = iter(reply.streaming_content), []
    assert next(chunks).decode() == NAME
    with unwritable(as_owner), pytest.raises(EntryNotWritten):
        seen += list(chunks)
    assert seen in ([], [b"|"])
    assert len(entries(patient)) == 1


def test_a_stream_writes_before_each_chunk(client: Client, patient: Patient) -> None:
    reply: Any = client.get(f"/stream/{patient.pk}")
    chunks = iter(reply.streaming_content)

    assert len(entries(patient)) == 1
    assert next(chunks).decode() == NAME
    assert len(entries(patient)) == 1
    assert b"".join(chunks) == b"|Ada"
    assert len(entries(patient)) == 2


def test_a_foreign_thread_sees_nothing(client: Client, patient: Patient) -> None:
    assert client.get(f"/in-a-thread/{patient.pk}").content == b"no context"
    assert entries(patient) == []


async def test_a_socket_sends_after_its_entry(patient: Patient) -> None:
    socket = WebsocketCommunicator(Reader.as_asgi(), "/")
    await socket.connect()
    await socket.send_json_to({"patient": str(patient.pk)})

    assert await socket.receive_json_from() == {"family": NAME}
    (entry,) = await database_sync_to_async(entries)(patient)
    assert entry.channel == "WS"
    await socket.disconnect()


async def test_a_socket_closes_with_1011_when_the_entry_cannot_be_written(patient: Patient, as_owner: AsOwner) -> None:
    socket = WebsocketCommunicator(Reader.as_asgi(), "/")
    await socket.connect()
    with unwritable(as_owner):
        await socket.send_json_to({"patient": str(patient.pk)})
        assert await socket.receive_output() == {"type": "websocket.close", "code": 1011}


def test_a_task_is_on_record_also_when_it_fails(patient: Patient) -> None:
    @app.task(name="tests.failing")
    def failing(pk: str) -> None:
        family_of(UUID(pk))
        raise RuntimeError("after the look")

    failing.apply(args=(str(patient.pk),))
    (entry,) = entries(patient)
    assert (entry.channel, entry.role, entry.reason) == ("task", "system", "tests.failing")


def test_a_task_that_cannot_be_put_on_record_is_tried_again(patient: Patient, as_owner: AsOwner) -> None:
    @app.task(name="tests.reading")
    def reading(pk: str) -> None:
        family_of(UUID(pk))

    with unwritable(as_owner), pytest.raises(EntryNotWritten):
        reading(str(patient.pk))
    with unwritable(as_owner), pytest.raises(Retry):
        reading.push_request(args=(str(patient.pk),), called_directly=False, is_eager=True)
        reading(str(patient.pk))
