"""Workers are killed in the middle of the nightly reminders: none is missing, none is said again once its delivery was recorded."""

import os
import random
import subprocess
import sys
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connections

from audit.ledger import SYSTEM, unit
from scheduling.models import Appointment, Reminder
from telehealth.accounts.access import Role
from telehealth.core import now
from telehealth.outbox import services as outbox
from telehealth.outbox.models import Message, Purpose, State
from telehealth.outbox.rules import GATEWAY
from tests.cast import id_of, make_actor, make_patient, make_practitioner
from tests.conformance.source import ROOT
from tests.consults.stage import appoint
from tests.outbox.test_crash import Door, door


def tomorrow(count: int) -> list[Appointment]:
    """So many people's appointments, whose reminders are due; each has a mailbox, and a phone that agreed to texts."""
    with unit(SYSTEM, channel="command"):
        doctor = make_practitioner("Cho", "Ana", make_actor("dr_cho", Role.PROVIDER).id)
        for number in range(count):
            pia, phone = make_actor(f"pia{number}", Role.PATIENT), f"+1617555{1000 + number}"
            patient = make_patient("Quill", f"Pia{number}", id_of(pia), phone=phone)
            outbox.say_consent(number=phone, purposes=Purpose.values, verdict="given", source="sms", by=GATEWAY)
            outbox.change_preference(person_id=id_of(pia), by=pia, quiet_from="00:00", quiet_to="00:00")
            appoint(patient, doctor, timedelta(hours=12, minutes=10 * number))
    Appointment.objects.update(created_at=now() - timedelta(days=3))
    return list(Appointment.objects.all())


def worker(server: Door) -> "subprocess.Popen[bytes]":
    """On this test's database, as the runtime role."""
    address = urlsplit(os.environ["DATABASE_URL"])
    url = urlunsplit(address._replace(path="/" + connections["default"].settings_dict["NAME"]))
    command = [sys.executable, "-m", "tests.scheduling.reminder_worker", str(server.server_port)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url})


def recorded() -> set[str]:
    return set(Message.objects.filter(state=State.DELIVERED).values_list("key", flat=True))


def kill_one(server: Door, hold_at: int) -> tuple[int, set[str]]:
    """A worker dies while the door holds what it brought; how much had come, and what is recorded as delivered."""
    server.hold_at = hold_at
    server.holding.clear()
    process = worker(server)
    assert server.holding.wait(30), f"the worker got to number {hold_at}"
    process.kill()
    process.wait()
    Message.objects.filter(state=State.PENDING).update(due_at=now() - timedelta(seconds=1))  # its lease is over
    return len(server.came), recorded()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("people", "kills", "seed"),
    [(6, 2, 0), pytest.param(24, 10, 1, marks=pytest.mark.storm), pytest.param(24, 10, 2, marks=pytest.mark.storm)],
)
def test_killed_in_the_middle_of_the_nightly_reminders(people: int, kills: int, seed: int) -> None:
    chance, deaths = random.Random(seed), []
    appointments = tomorrow(people)
    due = {f"reminder:{a.pk}:{int(a.starts_at.timestamp())}:1440:{channel}" for a in appointments for channel in ("email", "sms")}
    with door() as server:
        deaths.append(kill_one(server, people - 1))  # while they are made
        assert 0 < Reminder.objects.count() < people, "whole batches stand, the begun one does not"
        for number in range(1, kills):  # while they are delivered, a little further each time
            left = len(due) - len(recorded())
            missing = people - Reminder.objects.count()
            step = chance.randint(1, max(1, left // (kills - number + 1)))
            deaths.append(kill_one(server, len(server.came) + missing + step))
        assert worker(server).wait(60) == 0
        came = list(server.came)

    said = [each for each in came if each != "made"]
    assert set(said) == due, "each was said, and nothing else"
    assert len(said) <= len(due) + kills - 1, "again only what was in the hands of the dead"
    for arrived, known in deaths:
        assert known & set(came[arrived:]) == set(), "what was recorded as delivered is not said again"
    assert recorded() == due
    assert Reminder.objects.count() == people
    assert deaths[-1][1], "some had been delivered before the last death"
