"""C10 and C1 on the way to the pharmacy: nothing is lost, nothing goes twice, and the reading is on record before it leaves."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from audit.ledger import Act
from prescribing import script, services, transmission
from prescribing.machine import Event, Status
from prescribing.models import Direction, ScriptMessage
from telehealth.outbox.errors import Retry
from telehealth.outbox.models import Message, State
from telehealth.outbox.services import deliver_due
from telehealth.rehearsal.network.server import Network
from tests.conftest import AsOwner
from tests.prescribing.network import Door, door, running
from tests.prescribing.ward import BAD_LINE, NOT_ON_FILE, Ward, again, outbox_of, outgoing_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Iterator[Door]:
    """Where the network's confirmations arrive."""
    with door() as server:
        yield server


@pytest.fixture
def network(ward: Ward, clinic: Door, settings: Settings) -> Iterator[Network]:
    with running(f"http://127.0.0.1:{clinic.server_port}/inbound/script/") as server:
        settings.PHARMACY_NETWORK_URL = f"http://127.0.0.1:{server.server_port}"
        yield server


def bring(clinic: Door) -> tuple[bytes, int]:
    """Take the next confirmation to our door."""
    body, signed = clinic.came.get(timeout=10)
    reply = Client().post("/inbound/script/", body, "application/xml", secure=True, headers={"X-Network-Signature": signed})
    return body, reply.status_code


def due_now() -> None:
    Message.objects.filter(state=State.PENDING).update(due_at="2026-01-01T00:00Z")


def test_a_signed_prescription_is_sent_and_then_confirmed(ward: Ward, network: Network, clinic: Door, acts: Any) -> None:
    signed = ward.signed()
    deliver_due()
    assert again(signed).status == Status.SENT
    assert bring(clinic)[1] == 200
    assert again(signed).status == Status.DELIVERED
    way = [act for act in acts() if act.value.startswith(("prescription.", "script."))]
    assert way == [
        Act.PRESCRIPTION_WRITTEN,
        Act.PRESCRIPTION_SIGNED,
        Act.PRESCRIPTION_TRANSMITTED,
        Act.PRESCRIPTION_SENT,
        Act.SCRIPT_RECEIVED,
        Act.PRESCRIPTION_DELIVERED,
    ]


def test_a_confirmation_that_overtakes_the_answer_stands(ward: Ward, network: Network, clinic: Door) -> None:
    signed = ward.signed()
    going = services.outgoing(script_message_id=outgoing_of(signed).pk, by=ward.cast.system)
    answer = transmission.wire.post(going.body)
    bring(clinic)
    assert again(signed).status == Status.DELIVERED
    assert script.read(answer.body).code == "000"
    services.take_answer(script_message_id=outgoing_of(signed).pk, event=Event.TAKEN, code="000", by=ward.cast.system)
    assert again(signed).status == Status.DELIVERED


def test_a_worker_that_dies_after_sending_sends_the_same_again_and_the_pharmacy_has_it_once(
    ward: Ward, network: Network, clinic: Door
) -> None:
    signed = ward.signed()
    message = outbox_of(signed)
    for _ in range(3):  # sent, and the worker died before the outbox knew
        transmission.deliver(message)
    deliver_due()
    bring(clinic)
    assert again(signed).status == Status.DELIVERED
    other = ward.signed()
    deliver_due()
    assert script.read(bring(clinic)[0]).relates_to == outgoing_of(other).message_id, "the first was confirmed once"


def test_a_network_that_is_down_is_tried_again_with_the_same_bytes(ward: Ward, settings: Settings, clinic: Door) -> None:
    signed = ward.signed()
    deliver_due()
    message = outbox_of(signed)
    assert (message.state, message.reason, again(signed).status) == (State.PENDING, "network_unreachable", Status.QUEUED)
    body = outgoing_of(signed).body
    with running(f"http://127.0.0.1:{clinic.server_port}/") as network:
        settings.PHARMACY_NETWORK_URL = f"http://127.0.0.1:{network.server_port}"
        due_now()
        deliver_due()
        assert again(signed).status == Status.SENT
        bring(clinic)
    assert outgoing_of(signed).body == body


def test_a_bad_line_is_tried_again_and_a_refusal_is_not(ward: Ward, network: Network) -> None:
    stumbling, refused = ward.signed(pharmacy=BAD_LINE), ward.signed(pharmacy=NOT_ON_FILE)
    for _ in range(3):
        deliver_due()
        due_now()
    assert again(stumbling).status == Status.SENT
    assert (again(refused).status, again(refused).failure) == (Status.ERROR, "script_900_002")
    parked = outbox_of(refused)
    assert (parked.state, parked.attempts) == (State.PARKED, 1)


def test_the_prescriber_is_told_of_a_failure_and_the_message_names_nobody(ward: Ward, network: Network) -> None:
    refused = ward.signed(pharmacy=NOT_ON_FILE)
    deliver_due(limit=1)
    told = Message.objects.get(destination="email", kind="prescription_failed")
    assert (told.person_id, told.object_id) == (ward.cast.dr_cho.id, refused.pk)


def test_when_the_retries_are_used_up_a_person_must_act_and_a_late_confirmation_still_counts(
    ward: Ward, settings: Settings, clinic: Door
) -> None:
    signed = ward.signed()
    for _ in range(5):
        deliver_due()
        due_now()
    assert (again(signed).status, again(signed).failure) == (Status.ERROR, "network_unreachable")
    late(ward, signed)
    assert (again(signed).status, again(signed).failure) == (Status.DELIVERED, "")


def late(ward: Ward, signed: Any) -> None:
    """The pharmacy had it all the same: an answer was lost."""
    ours = outgoing_of(signed)
    with door() as clinic, running(f"http://127.0.0.1:{clinic.server_port}/") as network:
        network.pharmacy.take(ours.body.encode())
        assert bring(clinic)[1] == 200


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ((200, b"<html>"), (Retry, "network_answered_200")),
        ((503, b""), (Retry, "network_answered_503")),
        ((302, b"moved"), (Retry, "network_answered_302")),
        ((200, b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "b">]><Message>&a;</Message>'), (Retry, "network_answered_200")),
    ],
)
def test_an_answer_that_is_none_is_no_success(
    ward: Ward, settings: Settings, answer: tuple[int, bytes], verdict: tuple[type[Exception], str]
) -> None:
    signed = ward.signed()
    with answering(lambda: answer) as port:
        settings.PHARMACY_NETWORK_URL = f"http://127.0.0.1:{port}"
        with pytest.raises(verdict[0], match=verdict[1]):
            transmission.deliver(outbox_of(signed))
    assert again(signed).status == Status.QUEUED


def test_an_answer_about_another_message_is_no_answer(ward: Ward, network: Network, settings: Settings) -> None:
    signed, other = ward.signed(), ward.signed()
    about_other = network.pharmacy.take(outgoing_of(other).body.encode())
    with answering(lambda: (200, about_other)) as port:
        settings.PHARMACY_NETWORK_URL = f"http://127.0.0.1:{port}"
        with pytest.raises(Retry):
            transmission.deliver(outbox_of(signed))


@pytest.mark.django_db(transaction=True)
def test_the_reading_is_committed_before_the_prescription_leaves(ward: Ward, settings: Settings, as_owner: AsOwner) -> None:
    """C1: at the moment the network hears from us, the opening of pia's record can be read by anybody who audits."""
    signed = ward.signed()
    started = time.time()
    seen: list[int] = []

    def hear() -> tuple[int, bytes]:
        (row,) = as_owner(
            "SELECT count(*) FROM audit_entry WHERE act = 'record.opened' AND record_id = %s AND reason = 'outbox.newrx'"
            " AND timestamp >= to_timestamp(%s)",
            ward.cast.pia_record.pk,
            started,
        )
        seen.append(row[0])
        return 503, b""

    with answering(hear) as port:
        settings.PHARMACY_NETWORK_URL = f"http://127.0.0.1:{port}"
        deliver_due(limit=1)
    assert seen == [1]
    assert again(signed).status == Status.QUEUED


def test_what_left_is_kept_sealed(ward: Ward) -> None:
    ours = outgoing_of(ward.signed())
    assert "Quill" in ours.body
    assert ours.direction == Direction.OUT
    stored = ScriptMessage.objects.filter(pk=ours.pk).values_list("body", flat=True).get()
    assert "Quill" not in repr(stored)


@contextmanager
def answering(answer: Callable[[], tuple[int, bytes]]) -> Iterator[int]:
    """A network that says what the test wants, on a port."""

    class Say(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            code, body = answer()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Say)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
