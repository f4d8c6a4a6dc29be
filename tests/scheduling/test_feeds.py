"""A provider's calendar under its secret address: what it says, to whom, and for how long."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from icalendar import Calendar

from audit.ledger import SYSTEM, Act, flush, uuid7
from audit.ledger.models import Entry
from scheduling import feeds, services
from scheduling.models import Appointment, BusyCalendar, CalendarFeed, GroupVisit
from telehealth.accounts.models import User
from telehealth.core import now
from tests.people import Browser, ClientFor, MakeAccount, body
from tests.scheduling.conftest import Clinic

FEEDS = "/api/v1/calendar-feeds/"


def made(clinic: Clinic, client_for: ClientFor) -> str:
    """The path of Dr Cho's feed, made anew."""
    reply = client_for(clinic.cho).post(FEEDS, {})
    assert reply.status_code == 201, reply.content
    url = body(reply)["url"]
    assert url.startswith("http")
    return "/calendars/" + str(url).split("/calendars/")[1]


def read(path: str, **headers: str) -> Any:
    return Browser().get(path, headers=headers)


def events(path: str) -> list[Any]:
    reply = read(path)
    assert (reply.status_code, reply["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    return list(Calendar.from_ical(reply.content).events)


def test_a_feed_tells_times_and_nothing_else(clinic: Clinic, client_for: ClientFor) -> None:
    booked = services.book(**clinic.wish(), reason="A rash that nobody should read")
    path = made(clinic, client_for)
    (event,) = events(path)
    assert (str(event["SUMMARY"]), str(event["UID"]), int(event["SEQUENCE"])) == ("Appointment", str(booked.pk), 0)
    assert (event.start, event.end, str(event["STATUS"])) == (booked.starts_at, booked.ends_at, "CONFIRMED")
    said = read(path).content.decode()
    words = ("Somebody", "Note", "rash", "Quick", "video", "Cho", str(clinic.pia_record.pk), "P-1", "ATTENDEE", "DESCRIPTION", "LOCATION")
    assert [word for word in words if word in said] == []


def test_a_cancelled_appointment_stays_to_say_so_under_its_uid(clinic: Clinic, client_for: ClientFor) -> None:
    path = made(clinic, client_for)
    booked = services.book(**clinic.wish())
    before = read(path)
    services.cancel(appointment_id=booked.pk, reason="pat", by=clinic.pia.by)
    (event,) = events(path)
    assert (str(event["UID"]), str(event["STATUS"]), str(event["TRANSP"])) == (str(booked.pk), "CANCELLED", "TRANSPARENT")
    assert read(path)["ETag"] != before["ETag"]


def test_only_what_is_near_and_the_providers_own(clinic: Clinic, client_for: ClientFor) -> None:
    path = made(clinic, client_for)
    near = services.book(**clinic.wish())
    services.book(**clinic.wish(20) | {"practitioner_id": clinic.dr_dee.pk})
    for days in (-31, 181):
        moved = services.book(**clinic.wish(40 + days % 10 * 10))
        Appointment.objects.filter(pk=moved.pk).update(status="fulfilled")  # nothing of the past is held
        at = now() + timedelta(days=days)
        Appointment.objects.filter(pk=moved.pk).update(starts_at=at, ends_at=at + timedelta(minutes=10))
    assert [str(event["UID"]) for event in events(path)] == [str(near.pk)]


def test_a_group_visit_is_there_once(clinic: Clinic, client_for: ClientFor) -> None:
    starts = clinic.start()
    group = GroupVisit.objects.create(
        practitioner=clinic.dr_cho, visit_type=clinic.quick, starts_at=starts, ends_at=starts + timedelta(minutes=10), capacity=8
    )
    assert [str(event["UID"]) for event in events(made(clinic, client_for))] == [str(group.pk)]


def test_the_secret_is_long_is_kept_as_a_hash_alone_and_shown_once(clinic: Clinic, client_for: ClientFor) -> None:
    path = made(clinic, client_for)
    secret = path.removeprefix("/calendars/").removesuffix(".ics")
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    held = CalendarFeed.objects.get()
    assert bytes(held.digest) == hashlib.sha256(secret.encode()).digest()
    (listed,) = body(client_for(clinic.cho).get(FEEDS))["results"]
    assert set(listed) == {"id", "practitioner", "created_at"}
    flush()
    assert secret not in str(list(Entry.objects.values()))


def test_a_new_secret_ends_the_old_one_and_revoking_ends_all(clinic: Clinic, client_for: ClientFor) -> None:
    first = made(clinic, client_for)
    second = made(clinic, client_for)
    assert [read(first).status_code, read(second).status_code] == [404, 200]
    (feed,) = body(client_for(clinic.cho).get(FEEDS))["results"]
    assert client_for(clinic.cho).delete(f"{FEEDS}{feed['id']}/").status_code == 204
    assert read(second).status_code == 404
    assert body(client_for(clinic.cho).get(FEEDS))["results"] == []


def test_the_database_knows_one_feed_at_a_time(clinic: Clinic) -> None:
    services.make_feed(by=clinic.cho.by)
    with pytest.raises(IntegrityError, match="calendar_feed_one_at_a_time"), transaction.atomic():
        CalendarFeed.objects.create(practitioner=clinic.dr_cho, digest=b"x" * 32)
    with pytest.raises(IntegrityError, match="busy_calendar_state_is_known"), transaction.atomic():
        BusyCalendar.objects.create(practitioner=clinic.dr_cho, url="https://calendar.example/", state="odd")


def test_every_reading_and_every_refusal_is_on_record(clinic: Clinic, client_for: ClientFor) -> None:
    path = made(clinic, client_for)
    since = uuid7()
    tag = read(path)["ETag"]
    assert read(path, **{"If-None-Match": tag}).status_code == 304
    services.revoke_feed(feed_id=CalendarFeed.objects.get().pk, by=clinic.cho.by)
    assert [read(path).content, read("/calendars/nothing.ics").content] == [b"", b""]
    flush()
    found = list(Entry.objects.filter(id__gt=since, channel="calendar").order_by("id").values_list("act", "reason", "role"))
    assert found == [
        (Act.CALENDAR_READ, "", "calendar_reader"),
        (Act.CALENDAR_READ, "", "calendar_reader"),
        (Act.REFUSED, "feed_revoked", "calendar_reader"),
        (Act.REFUSED, "feed_unknown", "calendar_reader"),
    ]


def test_the_same_times_have_the_same_tag(clinic: Clinic, client_for: ClientFor) -> None:
    path = made(clinic, client_for)
    services.book(**clinic.wish())
    tag = read(path)["ETag"]
    again = read(path, **{"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert read(path, **{"Accept-Language": "es"})["ETag"] == tag
    services.book(**clinic.wish(10) | {"patient_id": clinic.ned_record.pk})
    assert read(path, **{"If-None-Match": tag}).status_code == 200


def test_who_asks_too_often_waits(clinic: Clinic, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_READS", 2)
    monkeypatch.setattr(feeds, "MOST_MISSES", 2)
    path = made(clinic, client_for)
    replies = [read(path) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert int(replies[-1]["Retry-After"]) > 0
    assert [read(f"/calendars/{n}.ics").status_code for n in range(3)] == [404, 404, 429]
    cache.clear()
    assert read(path).status_code == 200


def test_whoever_left_or_may_not_sign_in_publishes_nothing(clinic: Clinic, client_for: ClientFor) -> None:
    path = made(clinic, client_for)
    User.objects.filter(pk=clinic.cho.id).update(is_active=False)
    assert read(path).status_code == 404
    User.objects.filter(pk=clinic.cho.id).update(is_active=True)
    assert read(path).status_code == 200
    assert services.end_feeds(account_id=clinic.cho.id, by=SYSTEM) == {"calendar_feeds": 1}
    assert read(path).status_code == 404


def test_feeds_are_their_providers(clinic: Clinic, client_for: ClientFor, make_account: MakeAccount) -> None:
    made(clinic, client_for)
    feed = CalendarFeed.objects.get()
    other = client_for(make_account("provider"))
    assert other.delete(f"{FEEDS}{feed.pk}/").status_code == 404
    assert body(other.get(FEEDS))["results"] == []
    for role in ("patient", "nurse", "front_desk", "biller"):
        assert client_for(make_account(role)).post(FEEDS, {}).status_code == 404
    admin = client_for(make_account("administrator"))
    assert admin.post(FEEDS, {}).status_code == 404
    assert [each["id"] for each in body(admin.get(FEEDS))["results"]] == [str(feed.pk)]
    assert admin.delete(f"{FEEDS}{feed.pk}/").status_code == 204


def test_a_provider_of_the_clinic_without_a_practitioner_has_no_calendar(client_for: ClientFor, make_account: MakeAccount) -> None:
    assert client_for(make_account("provider")).post(FEEDS, {}).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_feed_is_only_read(clinic: Clinic, client_for: ClientFor, method: str) -> None:
    path = made(clinic, client_for)
    assert getattr(Browser(), method)(path).status_code == 405


def test_times_are_told_in_utc(clinic: Clinic, client_for: ClientFor) -> None:
    starts = clinic.start()
    services.book(**clinic.wish())
    assert f"DTSTART:{starts.astimezone(UTC):%Y%m%dT%H%M%SZ}" in read(made(clinic, client_for)).content.decode()
    assert datetime.now(UTC) < starts
