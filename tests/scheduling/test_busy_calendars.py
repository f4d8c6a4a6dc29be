"""Busy times of a calendar elsewhere: they close hours, they stay when it is out of reach, and nothing of it stops us."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from audit.ledger import SYSTEM, Act
from scheduling import selectors, services
from scheduling.errors import OutsideHours, TooManyCalendars
from scheduling.hours import ZONES
from scheduling.models import Appointment, BusyCalendar, BusyState, Opening
from scheduling.tasks import read_calendars
from telehealth.core.outbound import AddressRefused
from tests.core.web import OK, server, trust
from tests.people import Acts, ClientFor, MakeAccount, body
from tests.scheduling.conftest import ZONE, Clinic

BUSY = "/api/v1/busy-calendars/"


class Elsewhere:
    """A calendar server: what it says may change from one look to the next."""

    def __init__(self) -> None:
        self.reply = OK + b"\r\n"
        self.heard: list[bytes] = []
        self.port = 0

    def busy(self, *spans: tuple[datetime, datetime], etag: str = "") -> None:
        self.says("".join(event(*span) for span in spans), etag)

    def says(self, events: str, etag: str = "") -> None:
        text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n{events}END:VCALENDAR\r\n"
        self.reply = OK + (f"ETag: {etag}\r\n" if etag else "").encode() + b"\r\n" + text.encode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/private-7f3a.ics"


def event(starts: datetime, ends: datetime) -> str:
    times = "".join(f"{name}:{at.astimezone(UTC):%Y%m%dT%H%M%SZ}\r\n" for name, at in (("DTSTART", starts), ("DTEND", ends)))
    return f"BEGIN:VEVENT\r\nUID:{starts}@x\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Oncologist\r\n{times}END:VEVENT\r\n"


@contextmanager
def running(settings: Settings) -> Iterator[Elsewhere]:
    there = Elsewhere()
    with server(lambda line, _: line.sendall(there.reply)) as (port, heard):
        there.port, there.heard = port, heard
        trust(settings, f"127.0.0.1:{port}")
        yield there


@pytest.fixture
def elsewhere(settings: Settings) -> Iterator[Elsewhere]:
    with running(settings) as there:
        yield there


def look(clinic: Clinic) -> BusyCalendar:
    """The clock strikes a quarter of an hour later."""
    BusyCalendar.objects.update(checked_at=None)
    read_calendars()
    return BusyCalendar.objects.get(practitioner=clinic.dr_cho)


def closed(clinic: Clinic) -> list[tuple[datetime, datetime]]:
    rows = Opening.objects.filter(practitioner=clinic.dr_cho, opens=False).order_by("during").values_list("during", flat=True)
    return [(during.lower, during.upper) for during in rows]


def offered(clinic: Clinic) -> list[datetime]:
    hour = {"since": clinic.start(), "until": clinic.start(60)}
    page = selectors.slots(clinic.desk.by, visit_type="video-10", practitioner_id=clinic.dr_cho.pk, zone=UTC, **hour)  # type: ignore[arg-type]
    return [datetime.fromtimestamp(start, UTC) for start, _ in page.offers]


def test_what_is_busy_there_is_not_offered_here(clinic: Clinic, elsewhere: Elsewhere, acts: Acts) -> None:
    elsewhere.busy((clinic.start(20), clinic.start(40)))
    services.add_busy_calendar(url=elsewhere.url, by=clinic.cho.by)
    seen = look(clinic)
    assert (seen.state, seen.spans, seen.read_at) == (BusyState.READ, 1, seen.checked_at)
    assert closed(clinic) == [(clinic.start(20), clinic.start(40))]
    assert offered(clinic) == [clinic.start(minutes) for minutes in (0, 10, 40, 50)]
    with pytest.raises(OutsideHours):
        services.book(**clinic.wish(30))
    assert acts()[:2] == [Act.CALENDAR_ADDED, Act.CALENDAR_CHECKED]


def test_what_was_booked_already_stays(clinic: Clinic, elsewhere: Elsewhere) -> None:
    booked = services.book(**clinic.wish(20))
    elsewhere.busy((clinic.start(20), clinic.start(40)))
    services.add_busy_calendar(url=elsewhere.url, by=clinic.cho.by)
    look(clinic)
    assert Appointment.objects.get(pk=booked.pk).status == "booked"


def test_nothing_of_it_is_kept_but_times_and_the_address_is_sealed(clinic: Clinic, elsewhere: Elsewhere, as_text: Any) -> None:
    elsewhere.busy((clinic.start(20), clinic.start(40)))
    services.add_busy_calendar(url=elsewhere.url, by=clinic.cho.by)
    look(clinic)
    stored = as_text("scheduling_busycalendar", "scheduling_opening", "audit_entry")
    assert "Oncologist" not in stored and "private-7f3a" not in stored


@pytest.fixture
def as_text(db: None) -> Any:
    """All rows of these tables as the database has them."""

    def read(*tables: str) -> str:
        with connection.cursor() as cursor:
            return "".join(str(cursor.execute(f"SELECT * FROM {table}").fetchall()) for table in tables)

    return read


OUTAGES: dict[str, tuple[bytes, BusyState]] = {
    "an error": (b"HTTP/1.1 500 Oops\r\n\r\n", BusyState.UNREACHABLE),
    "a sign-in page": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", BusyState.UNREACHABLE),
    "silence": (b"", BusyState.UNREACHABLE),
    "inside": (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", BusyState.REFUSED),
    "nonsense": (OK + b"\r\nno calendar", BusyState.BROKEN),
    "too big": (OK + b"\r\n" + b"x" * 1_000_001, BusyState.TOO_BIG),
    "compressed": (OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b", BusyState.UNREACHABLE),
    "each second": (
        OK + b"\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260101T000000Z\r\nDURATION:PT1S\r\n"
        b"RRULE:FREQ=SECONDLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        BusyState.TOO_BIG,
    ),
}


def test_whatever_comes_later_the_last_good_times_stay_and_the_provider_is_told(
    clinic: Clinic, elsewhere: Elsewhere, client_for: ClientFor
) -> None:
    elsewhere.busy((clinic.start(20), clinic.start(40)))
    services.add_busy_calendar(url=elsewhere.url, by=clinic.cho.by)
    good = look(clinic)
    for name, (reply, state) in OUTAGES.items():
        elsewhere.reply = reply
        seen = look(clinic)
        assert (seen.state, seen.read_at, seen.spans) == (state, good.read_at, 1), name
        assert closed(clinic) == [(clinic.start(20), clinic.start(40))], name
    (shown,) = body(client_for(clinic.cho).get(BUSY))["results"]
    assert (shown["state"], shown["host"]) == ("too_big", "127.0.0.1")
    assert b"Too big, or it repeats too often" in client_for(clinic.cho).get("/calendars/").content
    elsewhere.busy()
    assert look(clinic).state == BusyState.READ
    assert closed(clinic) == []


def test_one_that_cannot_be_reached_keeps_no_other_from_being_read(clinic: Clinic, elsewhere: Elsewhere, settings: Settings) -> None:
    settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, "127.0.0.1:9"]
    services.add_busy_calendar(url="http://127.0.0.1:9/", by=clinic.cho.by)
    elsewhere.busy((clinic.start(20), clinic.start(40)))
    services.add_busy_calendar(url=elsewhere.url, by=clinic.cho.by)
    assert services.read_busy_calendars(by=SYSTEM) == 2
    assert sorted(BusyCalendar.objects.values_list("state", flat=True)) == ["read", "unreachable"]
    assert services.read_busy_calendars(by=SYSTEM) == 0  # not due again


def test_what_has_not_changed_is_not_read_again_until_the_window_moves_on(clinic: Clinic, elsewhere: Elsewhere) -> None:
    elsewhere.busy((clinic.start(20), clinic.start(40)), etag='"a1"')
    services.add_busy_calendar(url=elsewhere.url, by=clinic.cho.by)
    look(clinic)
    elsewhere.reply = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    seen = look(clinic)
    assert (seen.state, seen.spans) == (BusyState.READ, 1)
    assert b'If-None-Match: "a1"' in elsewhere.heard[-1]
    BusyCalendar.objects.update(read_at=seen.read_at - timedelta(hours=25))  # type: ignore[operator]
    look(clinic)
    assert b"If-None-Match" not in elsewhere.heard[-1]


def test_all_day_there_is_all_day_by_the_providers_clocks(clinic: Clinic, elsewhere: Elsewhere) -> None:
    day = clinic.start().astimezone().date() + timedelta(days=2)
    elsewhere.says(f"BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:{day:%Y%m%d}\r\nEND:VEVENT\r\n")
    services.add_busy_calendar(url=elsewhere.url, by=clinic.cho.by)
    look(clinic)
    ((starts, ends),) = closed(clinic)
    assert ZONE in ZONES and starts.hour in (4, 5)
    assert ends - starts in (timedelta(hours=23), timedelta(hours=24), timedelta(hours=25))


def test_removed_the_time_is_open_again(clinic: Clinic, elsewhere: Elsewhere, client_for: ClientFor, make_account: MakeAccount) -> None:
    elsewhere.busy((clinic.start(20), clinic.start(40)))
    made = client_for(clinic.cho).post(BUSY, {"url": elsewhere.url})
    assert (made.status_code, body(made)["state"]) == (201, "new")
    look(clinic)
    assert client_for(make_account("provider")).delete(f"{BUSY}{body(made)['id']}/").status_code == 404
    assert client_for(clinic.cho).delete(f"{BUSY}{body(made)['id']}/").status_code == 204
    assert (closed(clinic), BusyCalendar.objects.count()) == ([], 0)


def test_whoever_leaves_is_not_read_about(clinic: Clinic, elsewhere: Elsewhere) -> None:
    elsewhere.busy((clinic.start(20), clinic.start(40)))
    services.add_busy_calendar(url=elsewhere.url, by=clinic.cho.by)
    look(clinic)
    assert services.end_busy_calendars(account_id=clinic.cho.id, by=SYSTEM) == {"busy_calendars": 1}
    assert closed(clinic) == []


@pytest.mark.parametrize(
    "url",
    ["http://calendar.example/a.ics", "ftp://calendar.example/", "https://user@calendar.example/", "https://localhost/calendars/x.ics"],
)
def test_addresses_that_are_never_asked_are_refused_at_once(clinic: Clinic, client_for: ClientFor, url: str) -> None:
    reply = client_for(clinic.cho).post(BUSY, {"url": url})
    assert (reply.status_code, body(reply)["code"]) == (400, "address_refused")
    with pytest.raises(AddressRefused):
        services.add_busy_calendar(url=url, by=clinic.cho.by)


def test_webcal_is_https_and_five_are_enough(clinic: Clinic) -> None:
    for n in range(5):
        made = services.add_busy_calendar(url=f"webcal://calendar.example/{n}.ics", by=clinic.cho.by)
    assert BusyCalendar.objects.get(pk=made.pk).url == "https://calendar.example/4.ics"
    with pytest.raises(TooManyCalendars):
        services.add_busy_calendar(url="https://calendar.example/6.ics", by=clinic.cho.by)


def test_only_providers_name_calendars(clinic: Clinic, client_for: ClientFor, make_account: MakeAccount) -> None:
    for role in ("patient", "nurse", "front_desk", "administrator"):
        assert client_for(make_account(role)).post(BUSY, {"url": "https://calendar.example/"}).status_code == 404
