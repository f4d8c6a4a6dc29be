"""The link of a reminder: looking changes nothing, a button does, and nobody learns anything from a wrong address."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse

from audit.ledger import ANONYMOUS, SYSTEM, Act
from audit.ledger.models import Entry
from scheduling import services
from scheduling.models import AnswerLink, Appointment, Reminder, VisitType
from scheduling.reminding import answer_path
from scheduling.statuses import Status
from telehealth.core import lock, now
from telehealth.outbox import services as outbox
from tests.scheduling.conftest import Clinic
from tests.scheduling.test_no_double_booking import at_once, await_a_waiter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


@pytest.fixture
def appointment(clinic: Clinic) -> Appointment:
    made = services.book(**clinic.wish(120))  # type: ignore[arg-type]
    services.make_reminders(by=SYSTEM)
    return made


def path_of(appointment: Appointment) -> str:
    return answer_path(Reminder.objects.filter(appointment=appointment)[0].pk)


def browser(**options: Any) -> Client:
    return Client(enforce_csrf_checks=True, headers={"accept": "text/html"}, **options)


def press(client: Client, path: str, answer: str) -> Any:
    token = client.get(path, secure=True).context["csrf_token"]
    return client.post(path, {"answer": answer, "csrfmiddlewaretoken": token}, secure=True, headers={"referer": "https://testserver/"})


def test_looking_changes_nothing(appointment: Appointment) -> None:
    path, before = path_of(appointment), Appointment.objects.values().get(pk=appointment.pk)
    for method in ("get", "head", "get"):
        reply = getattr(browser(), method)(f"{path}?answer=no", secure=True)
        assert reply.status_code == 200
        assert (reply["Cache-Control"], reply["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert Appointment.objects.values().get(pk=appointment.pk) == before
    assert browser().delete(path, secure=True).status_code in (403, 405)


def test_the_page_names_nobody_and_tells_the_time_with_its_zone(appointment: Appointment, clinic: Clinic) -> None:
    outbox.change_preference(person_id=clinic.pia.id, by=clinic.pia.by, timezone="Asia/Kolkata")
    page = browser().get(path_of(appointment), secure=True).content.decode()
    assert "(IST)" in page
    assert "I will come" in page
    for word in ("Somebody", "Of Note", "Cho", "Quick", "video", str(appointment.pk), str(clinic.pia_record.pk)):
        assert word not in page, word


def test_a_yes_is_kept_once_and_a_no_calls_it_off(appointment: Appointment, clinic: Clinic) -> None:
    client, path = browser(), path_of(appointment)
    assert "We expect you" in press(client, path, "yes").content.decode()
    first = Appointment.objects.get(pk=appointment.pk)
    assert first.confirmed_at is not None
    press(client, path, "yes")
    assert Appointment.objects.get(pk=appointment.pk).confirmed_at == first.confirmed_at
    assert "You have told us" in client.get(path, secure=True).content.decode()

    assert "called off" in press(client, path, "no").content.decode()
    found = Appointment.objects.get(pk=appointment.pk)
    assert (found.status, found.cancelled_reason) == (Status.CANCELLED, "pat")
    assert not found.occupancies.filter(live=True).exists()
    assert client.get(path, secure=True).status_code == 404, "and that was that"
    acts = Entry.objects.filter(object_pk=str(appointment.pk), act__in=[Act.APPOINTMENT_AWAITED, Act.APPOINTMENT_CANCELLED])
    assert {(each.act, each.actor_id, each.client[:7]) for each in acts} == {
        (Act.APPOINTMENT_AWAITED, clinic.pia.id, "answer:"),
        (Act.APPOINTMENT_CANCELLED, clinic.pia.id, "answer:"),
    }


def test_nothing_is_done_without_the_pages_own_token_or_without_a_button(appointment: Appointment) -> None:
    path = path_of(appointment)
    assert browser().post(path, {"answer": "no"}, secure=True).status_code == 403
    assert press(browser(), path, "maybe").status_code == 200
    found = Appointment.objects.get(pk=appointment.pk)
    assert (found.status, found.confirmed_at) == (Status.BOOKED, None)


def test_a_no_that_comes_too_late_is_the_clinics_to_hear(appointment: Appointment) -> None:
    VisitType.objects.update(cancel_notice_minutes=3 * 24 * 60, late_cancel="refuse")
    reply = press(browser(), path_of(appointment), "no")
    assert (reply.status_code, "call the clinic" in reply.content.decode()) == (409, True)
    assert Appointment.objects.get(pk=appointment.pk).status == Status.BOOKED


def test_wrong_and_old_addresses_look_alike_and_are_on_record(appointment: Appointment, clinic: Clinic) -> None:
    paths = [path_of(appointment) for _ in range(3)]
    assert len(set(paths)) == 3, "each message has one of its own"
    ended, moved, unknown = paths[0], paths[1], reverse("appointment-answer", kwargs={"token": "A" * 22})
    AnswerLink.objects.filter(digest=hashlib.sha256(ended.split("/")[-2].encode()).digest()).update(ends_at=now() - timedelta(seconds=1))
    AnswerLink.objects.filter(digest=hashlib.sha256(moved.split("/")[-2].encode()).digest()).update(
        ends_at=appointment.starts_at - timedelta(minutes=5)
    )
    before = Entry.objects.filter(reason="answer_link_unusable").count()
    replies = [browser().get(path, secure=True) for path in (ended, moved, unknown)]
    assert {reply.status_code for reply in replies} == {404}
    assert len({reply.content for reply in replies}) == 1
    assert Entry.objects.filter(reason="answer_link_unusable").count() == before + 3
    assert browser().get(paths[2], secure=True).status_code == 200


def test_once_it_has_begun_the_link_is_over(appointment: Appointment) -> None:
    path, begun = path_of(appointment), now() - timedelta(minutes=1)
    appointment.occupancies.update(during=(begun, appointment.ends_at))
    Appointment.objects.filter(pk=appointment.pk).update(starts_at=begun)
    AnswerLink.objects.update(ends_at=begun)
    assert browser().get(path, secure=True).status_code == 404


def test_guessing_is_slowed_down(appointment: Appointment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduling.answer_page.FREE_PER_ADDRESS", 3)
    path, wrong = path_of(appointment), reverse("appointment-answer", kwargs={"token": "B" * 22})
    for _ in range(5):
        assert browser().get(path, secure=True).status_code == 200, "who has the right one is not counted"
    codes = [browser().get(wrong, secure=True).status_code for _ in range(5)]
    assert codes == [404, 404, 404, 404, 429]
    reply = browser().get(path, secure=True)
    assert (reply.status_code, int(reply["Retry-After"]) > 0) == (429, True)


def test_the_page_speaks_the_persons_language(appointment: Appointment, clinic: Clinic) -> None:
    assert "Your appointment" in browser().get(path_of(appointment), secure=True).content.decode()
    outbox.change_preference(person_id=clinic.pia.id, by=clinic.pia.by, language="es")
    page = browser().get(path_of(appointment), secure=True).content.decode()
    assert "Su cita" in page
    assert "a las" in page
    assert "I will come" not in page


@pytest.mark.django_db(transaction=True)
def test_a_no_that_a_move_overtakes_calls_nothing_off(appointment: Appointment, clinic: Clinic) -> None:
    token = path_of(appointment).rstrip("/").rpartition("/")[2]
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            lock(appointment.pk)
            said = pool.submit(at_once, [lambda: services.answer(token=token, coming=False, by=ANONYMOUS)])
            await_a_waiter("SELECT pg_advisory_xact_lock")
            services.reschedule(appointment_id=appointment.pk, starts_at=clinic.start(240), by=clinic.desk.by)
        assert "LinkUnusable" in said.result(20)[0]
    assert Appointment.objects.get(pk=appointment.pk).status == Status.BOOKED
