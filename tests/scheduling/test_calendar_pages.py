"""The calendar under the hands of whoever may and may not: what is shown, what moves, what is booked for a caller."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from audit.ledger import SYSTEM
from scheduling import services
from scheduling.models import Appointment
from scheduling.portal_calendar import by_the_clock
from scheduling.statuses import Status
from telehealth.records.digests import name_tokens
from telehealth.records.models import Practitioner
from tests.people import Browser, ClientFor, MakeAccount
from tests.scheduling.conftest import ZONE, Clinic

CALENDAR, BOOKING = "/calendar/", "/calendar/booking/"
HTMX = {"headers": {"HX-Request": "true"}}


def local(at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(ZONE)):%Y-%m-%dT%H:%M}"


def shown(clinic: Clinic, browser: Browser, **asked: Any) -> str:
    day = clinic.start().astimezone(ZoneInfo(ZONE)).date().isoformat()
    reply = browser.get(CALENDAR, {"provider": str(clinic.dr_cho.pk), "day": day, "hours": "all", **asked})
    assert reply.status_code == 200
    return str(reply.content.decode())


def move(browser: Browser, made: Appointment, local: str, **more: Any) -> Any:
    return browser.post(f"/calendar/appointments/{made.pk}/move/", {"local": local, **more}, format="multipart", **HTMX)


def test_a_day_and_a_week_show_who_comes_and_how_it_stands(clinic: Clinic, client_for: ClientFor) -> None:
    made = services.book(**clinic.wish(), reason="A rash that nobody should read")
    for view in ("day", "week"):
        page = shown(clinic, client_for(clinic.desk), view=view)
        assert f'id="visit-{made.pk}"' in page
        assert "Somebody, Of Note" in page and "Booked" in page and "Quick" in page
        assert f"Times in {ZONE} (UTC" in page
        assert "rash" not in page
        assert " style=" not in page and "onclick" not in page


def test_a_provider_sees_their_own_calendar_and_no_other(clinic: Clinic, client_for: ClientFor) -> None:
    services.book(**clinic.wish())
    services.book(**clinic.wish(20) | {"practitioner_id": clinic.dr_dee.pk})
    own = client_for(clinic.cho)
    page = shown(clinic, own, provider="")
    assert page.count("data-visit-block") == 1 and "calendar-provider" not in page
    assert own.get(CALENDAR, {"provider": str(clinic.dr_dee.pk)}).status_code == 404


@pytest.mark.parametrize("role", ["patient", "proxy", "biller", "administrator", "privacy_officer"])
def test_it_is_nobodys_who_has_no_waiting_room(clinic: Clinic, client_for: ClientFor, make_account: MakeAccount, role: str) -> None:
    made, there = services.book(**clinic.wish()), client_for(make_account(role))
    assert there.get(CALENDAR).status_code == 404
    assert move(there, made, local(clinic.start(30))).status_code == 404
    assert Appointment.objects.get().starts_at == made.starts_at


def test_a_provider_without_a_practitioner_is_told_so(client_for: ClientFor, make_account: MakeAccount) -> None:
    assert b"There is no provider whose calendar you may see." in client_for(make_account("provider")).get(CALENDAR).content


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "yesterday", ""])
@pytest.mark.parametrize("view", ["year", ""])
def test_what_cannot_be_meant_is_answered_with_today(clinic: Clinic, client_for: ClientFor, day: str, view: str) -> None:
    assert client_for(clinic.desk).get(CALENDAR, {"day": day, "view": view, "provider": "me"}).status_code == 200


def test_a_move_is_made_said_and_drawn_anew(clinic: Clinic, client_for: ClientFor) -> None:
    made = services.book(**clinic.wish())
    looked_at = {"provider": str(clinic.dr_cho.pk), "day": local(clinic.start(30))[:10], "hours": "all"}
    reply = move(client_for(clinic.desk), made, local(clinic.start(30)), version=made.version, **looked_at)
    moved = Appointment.objects.get()
    assert (reply.status_code, moved.starts_at, moved.sequence) == (200, clinic.start(30), 1)
    assert f'data-say="Moved to {moved.starts_at.astimezone(ZoneInfo(ZONE)):%A}' in reply.content.decode()
    assert "data-focus" in reply.content.decode()


def test_a_move_to_another_provider(clinic: Clinic, client_for: ClientFor) -> None:
    made = services.book(**clinic.wish())
    assert move(client_for(clinic.desk), made, local(clinic.start()), to=str(clinic.dr_dee.pk)).status_code == 200
    assert Appointment.objects.get().practitioner_id == clinic.dr_dee.pk


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (10, "The provider has another appointment at that time. Nothing was moved."),
        (20, "The patient has another appointment at that time. Nothing was moved."),
        (5, "This is not one of the times that are offered."),
        (-60 * 48, "This time is too near or past."),
    ],
)
def test_what_does_not_fit_is_said_in_words_and_nothing_moves(clinic: Clinic, client_for: ClientFor, minutes: int, words: str) -> None:
    made = services.book(**clinic.wish())
    services.book(**clinic.wish(10) | {"patient_id": clinic.ned_record.pk})
    services.book(**clinic.wish(20) | {"practitioner_id": clinic.dr_dee.pk})
    reply = move(client_for(clinic.desk), made, local(clinic.start(minutes)))
    assert reply.status_code in (400, 409)
    assert (reply["HX-Retarget"], words in reply.content.decode()) == ("#alerts", True)
    assert Appointment.objects.get(pk=made.pk).starts_at == made.starts_at


def test_who_looked_at_an_old_page_is_told(clinic: Clinic, client_for: ClientFor) -> None:
    made = services.book(**clinic.wish())
    services.reschedule(appointment_id=made.pk, starts_at=clinic.start(20), by=clinic.desk.by)
    reply = move(client_for(clinic.desk), made, local(clinic.start(30)), version=made.version)
    assert "Somebody has changed this appointment meanwhile." in reply.content.decode()
    assert Appointment.objects.get().starts_at == clinic.start(20)


@pytest.mark.parametrize("to", ["", "soon", "2026-12-01T10:00:00Z", "0001-01-01T00:00", "9999-12-31T23:59", "2026-13-45T99:99"])
def test_times_that_cannot_be_meant_are_refused(clinic: Clinic, client_for: ClientFor, to: str) -> None:
    made = services.book(**clinic.wish())
    assert move(client_for(clinic.desk), made, to).status_code == 400
    assert Appointment.objects.get().starts_at == made.starts_at


def test_the_two_odd_hours_by_the_clock() -> None:
    zone = ZoneInfo(ZONE)
    skipped, doubled = datetime(2026, 3, 8, 2, 30), datetime(2026, 11, 1, 1, 30)
    assert by_the_clock(skipped, zone).isoformat() == "2026-03-08T07:30:00+00:00"
    assert by_the_clock(doubled, zone).isoformat() == "2026-11-01T05:30:00+00:00"


@pytest.fixture
def findable(clinic: Clinic) -> Clinic:
    clinic.pia_record.name_tokens = name_tokens("Somebody", "Of Note")
    clinic.pia_record.save(update_fields=["name_tokens"])
    return clinic


def test_the_desk_books_for_a_caller(findable: Clinic, client_for: ClientFor) -> None:
    clinic, desk = findable, client_for(findable.desk)
    when = local(clinic.start())
    assert when in desk.get(BOOKING, {"local": when}, **HTMX).content.decode()
    found = desk.post(BOOKING, {"name": "Somebody", "local": when}, format="multipart", **HTMX).content.decode()
    assert f"{BOOKING}{clinic.pia_record.pk}/" in found
    address = f"{BOOKING}{clinic.pia_record.pk}/"
    form = {"local": when, "visit_type": "video-10", "reason": "Cough", "provider": str(clinic.dr_cho.pk), "book": "yes"}
    reply = desk.post(address, form, format="multipart", **HTMX)
    made = Appointment.objects.get()
    assert (reply.status_code, reply["HX-Trigger"], made.status, made.reason) == (200, "calendar-changed", Status.BOOKED, "Cough")
    assert made.starts_at == clinic.start()


def test_a_hold_while_on_the_phone_is_confirmed_or_let_go(clinic: Clinic, client_for: ClientFor) -> None:
    desk, address = client_for(clinic.desk), f"{BOOKING}{clinic.pia_record.pk}/"
    form = {"visit_type": "video-10", "provider": str(clinic.dr_cho.pk), "hold": "yes"}
    for minutes in (0, 10):
        said = desk.post(address, {**form, "local": local(clinic.start(minutes))}, format="multipart", **HTMX).content.decode()
        assert "Held until" in said and "Confirm the booking" in said
    first, second = Appointment.objects.order_by("starts_at")
    assert {first.status, second.status} == {Status.PENDING}
    assert "Held" in shown(clinic, desk)
    assert desk.post(f"/calendar/appointments/{first.pk}/confirm/", {}, format="multipart", **HTMX).status_code == 200
    assert b"free again" in desk.post(f"/calendar/appointments/{second.pk}/release/", {}, format="multipart", **HTMX).content
    assert [each.status for each in Appointment.objects.order_by("starts_at")] == [Status.BOOKED, Status.CANCELLED]


def test_an_overbooking_needs_code_and_words(clinic: Clinic, client_for: ClientFor) -> None:
    services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})
    desk, address = client_for(clinic.desk), f"{BOOKING}{clinic.pia_record.pk}/"
    form = {"visit_type": "video-10", "provider": str(clinic.dr_cho.pk), "local": local(clinic.start()), "book": "yes"}
    taken = desk.post(address, form, format="multipart", **HTMX)
    assert (taken.status_code, b"Somebody was faster" in taken.content or b"another appointment" in taken.content) == (409, True)
    half = desk.post(address, {**form, "code": "urgent"}, format="multipart", **HTMX)
    assert b"An overbooking needs a code and a reason in words." in half.content
    assert Appointment.objects.count() == 1
    done = desk.post(address, {**form, "code": "urgent", "why": "Chest pain"}, format="multipart", **HTMX)
    made = Appointment.objects.get(patient=clinic.pia_record)
    assert (made.overbooked_by, made.overbooked_code, made.overbooked_reason) == (clinic.desk.id, "urgent", "Chest pain")
    assert b"overbooked" in done.content


def test_only_the_desk_books_for_callers(clinic: Clinic, client_for: ClientFor, make_account: MakeAccount) -> None:
    for who in (clinic.cho, clinic.pia, make_account("nurse"), make_account("biller")):
        there = client_for(who)
        assert there.get(BOOKING).status_code == 404
        assert there.get(f"{BOOKING}{clinic.pia_record.pk}/").status_code == 404


def test_time_off_is_shown_as_closed(clinic: Clinic, client_for: ClientFor) -> None:
    starts = clinic.start(120)
    assert '<span class="away' not in shown(clinic, client_for(clinic.desk))
    spans = [(starts, starts + timedelta(minutes=10))]
    services.set_busy(practitioner_id=clinic.dr_cho.pk, calendar_id=clinic.dr_cho.pk, spans=spans, by=SYSTEM)
    day = starts.astimezone(ZoneInfo(ZONE)).date().isoformat()
    assert '<span class="away' in shown(clinic, client_for(clinic.desk), day=day)


def test_a_provider_makes_and_revokes_their_feed_on_a_page(clinic: Clinic, client_for: ClientFor) -> None:
    cho = client_for(clinic.cho)
    made = cho.form("/calendars/feed/").content.decode()
    address = made.partition("data-feed-url>")[2].partition("<")[0]
    assert Browser().get(urlsplit(address).path).status_code == 200
    assert b"In use" in cho.get("/calendars/").content
    assert cho.form("/calendars/feed/revoke/").status_code == 302
    assert b"None is in use" in cho.get("/calendars/").content
    refused = cho.form("/calendars/busy/", url="http://127.0.0.1/")
    assert (refused.status_code, b"This address cannot be read." in refused.content) == (400, True)
    assert Practitioner.objects.filter(pk=clinic.dr_cho.pk, busy_calendars=None).exists()
    assert client_for(clinic.desk).get("/calendars/").status_code == 404
