"""The outside world, seen over HTTP only."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from telehealth.rehearsal.network.server import Network
from telehealth.rehearsal.network.signing import is_signed, signature
from tests.prescribing.network import SECRET, door, post, running
from tests.prescribing.newrx import newrx

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def network() -> Iterator[Network]:
    with running() as server:
        yield server


def send(network: Network, body: bytes) -> tuple[int, str]:
    code, answer = post(network.server_port, "/script", body, X_Network_Signature=signature(SECRET, body))
    return code, verdict(answer)


def verdict(answer: bytes) -> str:
    content = etree.fromstring(answer).find("Body/*")
    assert content is not None
    return f"{content.tag} {content.findtext('Code')}"


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def test_a_new_prescription_is_taken_at_once_and_confirmed_later() -> None:
    with door() as clinic, running(f"http://127.0.0.1:{clinic.server_port}/inbound/") as network:
        assert send(network, newrx("order-7")) == (200, "Status 000")
        body, signed = clinic.came.get(timeout=5)
    assert verdict(body) == "Status 010"
    assert etree.fromstring(body).findtext("Header/RelatesToMessageID") == "order-7"
    assert is_signed(SECRET, body, signed)
    assert not is_signed(b"another secret", body, signed)
    assert not is_signed(SECRET, body + b" ", signed)


def test_the_confirmation_comes_again_unchanged_until_it_is_accepted() -> None:
    with door(503, 500) as clinic, running(f"http://127.0.0.1:{clinic.server_port}/inbound/") as network:
        send(network, newrx())
        bodies = [clinic.came.get(timeout=5)[0] for _ in range(3)]
    assert bodies[0] == bodies[1] == bodies[2]


def test_the_same_message_gets_the_same_answer_and_one_confirmation() -> None:
    with door() as clinic, running(f"http://127.0.0.1:{clinic.server_port}/inbound/") as network:
        body = newrx()
        first, second = (post(network.server_port, "/script", body, X_Network_Signature=signature(SECRET, body))[1] for _ in range(2))
        send(network, newrx("another"))
        related = {etree.fromstring(clinic.came.get(timeout=5)[0]).findtext("Header/RelatesToMessageID") for _ in range(2)}
    assert first == second
    assert related == {"m-1", "another"}, "each confirmed once"


def test_another_body_under_a_known_id_is_rejected(network: Network) -> None:
    send(network, newrx(sig="Take one tablet daily"))
    assert send(network, newrx(sig="Take nine tablets daily")) == (200, "Error 900")
    assert send(network, newrx(sig="Take one tablet daily")) == (200, "Status 000")


def test_a_pharmacy_not_on_file_and_a_bad_line(network: Network) -> None:
    assert send(network, newrx("a", to="9900900")) == (200, "Error 900")
    assert [send(network, newrx("b", to="9900600"))[1] for _ in range(3)] == ["Error 600", "Error 600", "Status 000"]


BOMB = b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><Message>&b;</Message>'
XXE = b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + newrx(sig="&x;").split(b"?>", 1)[1]


NO_PRESCRIPTION = {
    "empty": b"",
    "broken": b"<",
    "not-utf8": b"\xff\xfe<",
    "bomb": BOMB,
    "xxe": XXE,
    "xxe-utf16": XXE.decode().encode("utf-16"),
    "long-id": newrx("x" * 36),
    "bad-pharmacy": newrx(to="12"),
    "bad-refills": newrx().replace(b"<NumberOfRefills>0", b"<NumberOfRefills>-1"),
}


@pytest.mark.parametrize("body", NO_PRESCRIPTION.values(), ids=NO_PRESCRIPTION)
def test_what_is_no_prescription_is_refused(network: Network, body: bytes) -> None:
    assert send(network, body) == (400, "Error 900")


def test_unsigned_late_or_oversized_is_refused(network: Network) -> None:
    body, port = newrx(), network.server_port
    assert post(port, "/script", body)[0] == 401
    assert post(port, "/script", body, X_Network_Signature=signature(b"other", body))[0] == 401
    assert post(port, "/script", body, X_Network_Signature=signature(SECRET, body, int(time.time()) - 301))[0] == 401
    assert post(port, "/script", b"x" * 10_000_000)[0] == 413
    assert send(network, body) == (200, "Status 000"), "still serving"


def test_mail_and_text_messages_are_caught_once_and_in_order(network: Network) -> None:
    port = network.server_port
    mail = json.dumps({"to": "a@b.example", "subject": "Hello", "text": "Open http://localhost:8000/invitation/abc/. Bye"}).encode()
    for _ in range(2):
        assert post(port, "/mail", mail, Idempotency_Key="k1")[0] == 202
    assert post(port, "/sms", json.dumps({"to": "+15551234567", "text": "Hi"}).encode(), Idempotency_Key="k2")[0] == 202
    assert post(port, "/mail", b'{"to": 3}')[0] == 400
    assert post(port, "/sms", b"[]")[0] == 400

    first, second = json.loads(get(port, "/outbox")[1])
    assert (first["channel"], first["to"], first["links"]) == ("email", "a@b.example", ["http://localhost:8000/invitation/abc/"])
    assert (second["channel"], second["text"]) == ("sms", "Hi")
    assert get(port, "/nothing")[0] == 404


def test_the_catcher_forgets_the_oldest(network: Network) -> None:
    for number in range(510):
        network.catcher.take("sms", json.dumps({"to": "1", "text": str(number)}).encode(), "")
    kept = [message["text"] for message in network.catcher.messages()]
    assert kept == [str(number) for number in range(10, 510)]


def test_the_process_serves_says_nothing_and_ends_on_sigterm() -> None:
    environment = os.environ | {"PHARMACY_NETWORK_SECRET": SECRET.decode()}
    command = [sys.executable, "manage.py", "pharmacy_network", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        try:
            port = int(process.stdout.readline().rsplit(":", 1)[1])
            assert get(port, "/healthz") == (200, b'{"status": "ok"}')
            body = newrx()
            assert post(port, "/script", body, X_Network_Signature=signature(SECRET, body))[0] == 200
        finally:
            process.send_signal(signal.SIGTERM)
        said, complained = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "Moss" not in said + complained
    assert complained == ""
