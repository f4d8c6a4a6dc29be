"""Balancers and supervisors are told the truth: alive, ready, degraded."""

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from audit.ledger import SYSTEM, unit
from audit.ledger.sealing import Sealer
from config import probes
from tests.audit.conftest import seal_all

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_process_answers_without_its_services(monkeypatch: pytest.MonkeyPatch) -> None:
    reply = Client().get("/healthz")
    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


def test_ready_means_database_migrations_and_broker(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django_settings, "AUDIT_CHECKPOINTS", tmp_path)
    seal_all(Sealer())
    reply = Client().get("/readyz")
    assert reply.status_code == 200
    assert reply.json() == {"status": "ok", "database": True, "migrations": True, "broker": True, "sealing": True, "vault": True}


def test_a_lagging_sealer_degrades_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    with unit(SYSTEM, channel="task") as here:
        here.refusals.append(here.row("refused", outcome="refused"))
    monkeypatch.setattr(probes, "LAGGING_SECONDS", 0)
    reply = Client().get("/readyz")
    assert (reply.status_code, reply.json()["status"], reply.json()["sealing"]) == (200, "degraded", False)


def test_no_broker_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django_settings, "REDIS_URL", "redis://127.0.0.1:9/0")
    reply = Client().get("/readyz")
    assert (reply.status_code, reply.json()["broker"]) == (503, False)


def test_no_database_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", "no_such_database")
    try:
        reply = Client().get("/readyz")
    finally:
        monkeypatch.undo()
        connection.close()
    assert (reply.status_code, reply.json()["status"]) == (503, "failed")
