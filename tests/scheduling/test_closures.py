"""Time off, extra hours, closures and other calendars: they stop offers and bookings, and touch nothing that is booked."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from audit.ledger import SYSTEM, Act, Actor, unit, uuid7
from scheduling import selectors, services
from scheduling.errors import ExceptionOdd, OutsideHours, StartMisaligned, UnknownPractitioner, UnknownTimezone
from scheduling.models import Appointment, Availability, AvailabilityException, Opening
from telehealth.core.errors import Missing, Refused
from telehealth.records.models import Practitioner
from tests.people import Acts, ClientFor, MakeAccount, body
from tests.scheduling.conftest import ZONE, Clinic

NEW_YORK = ZoneInfo(ZONE)
HOURS, EXCEPTIONS = "/api/v1/availability/", "/api/v1/availability-exceptions/"


def off(clinic: Clinic, whose: UUID | None, minutes: int = 60, **changed: Any) -> dict[str, Any]:
    """From the clinic's start, in minutes."""
    first, last = (at.astimezone(NEW_YORK) for at in (clinic.start(), clinic.start(minutes)))
    usual = {"practitioner_id": whose, "kind": "off", "code": "sick", "timezone": ZONE, "by": SYSTEM}
    days = {"first_day": first.date(), "starts": first.time(), "last_day": last.date(), "ends": last.time()}
    return {**usual, **days, **changed}


def starts(clinic: Clinic, whose: UUID, hours: int = 2, kind: str = "video-10") -> list[int]:
    """Which starts are offered, in minutes after the clinic's."""
    window = {"since": clinic.start(), "until": clinic.start(60 * hours)}
    page = selectors.slots(SYSTEM, visit_type=kind, practitioner_id=whose, zone=NEW_YORK, limit=1000, **window)
    return [int(start - clinic.start().timestamp()) // 60 for start, _ in page.offers]


def test_time_off_stops_offers_and_bookings_of_one_provider_until_it_is_lifted(clinic: Clinic, acts: Acts) -> None:
    kept = services.book(**clinic.wish(10))
    made = services.except_hours(**off(clinic, clinic.dr_cho.pk))
    assert starts(clinic, clinic.dr_cho.pk) == list(range(60, 120, 10))
    assert starts(clinic, clinic.dr_dee.pk) == list(range(0, 120, 10))
    with pytest.raises(OutsideHours):
        services.book(**clinic.wish(30))
    assert Appointment.objects.get(pk=kept.pk).status == "booked"
    services.lift_exception(exception_id=made.pk, by=SYSTEM)
    assert len(starts(clinic, clinic.dr_cho.pk)) == 11
    assert {Act.HOURS_EXCEPTED, Act.HOURS_EXCEPTION_LIFTED} <= set(acts())


def test_what_is_closed_moves_no_step(clinic: Clinic) -> None:
    services.except_hours(**off(clinic, clinic.dr_cho.pk, minutes=5))
    assert starts(clinic, clinic.dr_cho.pk, 1) == [10, 20, 30, 40, 50]
    with pytest.raises(StartMisaligned):
        services.book(**clinic.wish(5))


def test_the_clinic_is_closed_for_everybody_who_comes_later_too(clinic: Clinic, make_account: MakeAccount) -> None:
    services.except_hours(**off(clinic, None, code="holiday"))
    with unit(SYSTEM, channel="command"):
        late = Practitioner.objects.create(account_id=make_account("provider").id, timezone=ZONE)
    services.open_hours(practitioner_id=late.pk, rrule="FREQ=DAILY", starts=time.min, ends=time.min, timezone=ZONE, by=SYSTEM)
    for whose in (clinic.dr_cho.pk, clinic.dr_dee.pk, late.pk):
        assert starts(clinic, whose) == list(range(60, 120, 10))
    closure = AvailabilityException.objects.get(practitioner=None)
    services.expand(practitioner_id=late.pk, by=SYSTEM)
    assert Opening.objects.filter(source_id=closure.pk).count() == 3
    services.lift_exception(exception_id=closure.pk, by=SYSTEM)
    assert starts(clinic, late.pk) == list(range(0, 120, 10))


def test_extra_hours_open_and_start_steps_of_their_own(clinic: Clinic, make_account: MakeAccount) -> None:
    with unit(SYSTEM, channel="command"):
        guest = Practitioner.objects.create(account_id=make_account("provider").id, timezone=ZONE)
    services.except_hours(**off(clinic, guest.pk, kind="extra", code="demand", visit_types=("video-10",)))
    assert starts(clinic, guest.pk) == [0, 10, 20, 30, 40, 50]
    assert starts(clinic, guest.pk, kind="video-30") == []
    services.except_hours(**off(clinic, None, 20))
    assert starts(clinic, guest.pk) == [20, 30, 40, 50]


def test_closed_for_one_kind_of_visit_only(clinic: Clinic) -> None:
    services.except_hours(**off(clinic, clinic.dr_cho.pk, 120, code="blocked", visit_types=("video-10",)))
    assert starts(clinic, clinic.dr_cho.pk) == []
    assert len(starts(clinic, clinic.dr_cho.pk, kind="video-30")) == 8
    assert selectors.is_on_duty(clinic.cho.id, clinic.start(60))


def test_who_is_off_is_not_on_duty(clinic: Clinic) -> None:
    services.except_hours(**off(clinic, clinic.dr_cho.pk, 240))
    assert not selectors.is_on_duty(clinic.cho.id, clinic.start(120))
    assert selectors.is_on_duty(clinic.cho.id, clinic.start(300))


def test_another_calendar_closes_what_it_says_and_nothing_else(clinic: Clinic, acts: Acts) -> None:
    one, other = uuid7(), uuid7()
    first, second = (clinic.start(5) + timedelta(microseconds=1), clinic.start(20)), (clinic.start(60), clinic.start(90))
    given = {"practitioner_id": clinic.dr_cho.pk, "by": SYSTEM}
    services.set_busy(calendar_id=one, spans=[first], **given)
    services.set_busy(calendar_id=other, spans=[second], **given)
    assert starts(clinic, clinic.dr_cho.pk) == [20, 30, 40, 50, 90, 100, 110]
    services.set_busy(calendar_id=one, spans=[], **given)
    assert starts(clinic, clinic.dr_cho.pk) == [0, 10, 20, 30, 40, 50, 90, 100, 110]
    services.expand(practitioner_id=clinic.dr_cho.pk, by=SYSTEM)
    assert 60 not in starts(clinic, clinic.dr_cho.pk)
    assert Act.HOURS_BUSY_IMPORTED in acts()
    assert selectors.is_on_duty(clinic.cho.id, clinic.start(75))


def test_whose_calendar_it_is(clinic: Clinic, make_account: MakeAccount) -> None:
    def say(by: Actor) -> None:
        services.set_busy(practitioner_id=clinic.dr_cho.pk, calendar_id=uuid7(), spans=[], by=by)

    say(clinic.cho.by)
    for person in (make_account("provider"), clinic.pia, clinic.desk):
        with pytest.raises(Refused):
            say(person.by)
    with pytest.raises(Missing):
        services.set_busy(practitioner_id=uuid7(), calendar_id=uuid7(), spans=[], by=SYSTEM)


@pytest.mark.parametrize(
    ("odd", "error"),
    [
        ({"ends": time.min, "starts": time.min, "last_day": datetime(2026, 1, 1).date()}, ExceptionOdd),
        ({"last_day": datetime(2199, 1, 1).date()}, ExceptionOdd),
        ({"kind": "extra", "practitioner_id": None}, ExceptionOdd),
        ({"timezone": "Mars/Olympus"}, UnknownTimezone),
        ({"practitioner_id": uuid7()}, UnknownPractitioner),
    ],
)
def test_exceptions_that_make_no_sense(clinic: Clinic, odd: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        services.except_hours(**off(clinic, clinic.dr_cho.pk, **odd))


def test_only_administrators_say_so(clinic: Clinic, make_account: MakeAccount) -> None:
    admin = make_account("administrator")
    made = services.except_hours(**off(clinic, clinic.dr_cho.pk, by=admin.by))
    for person in (clinic.cho, clinic.desk, clinic.pia):
        with pytest.raises(Refused):
            services.except_hours(**off(clinic, clinic.dr_cho.pk, by=person.by))
        with pytest.raises(Refused):
            services.lift_exception(exception_id=made.pk, by=person.by)


def test_by_rest_administrators_write_and_providers_see_their_own(clinic: Clinic, make_account: MakeAccount, client_for: ClientFor) -> None:
    there = client_for(make_account("administrator"))
    rule = {"practitioner": str(clinic.dr_cho.pk), "rrule": "FREQ=MONTHLY;BYDAY=2TU", "timezone": ZONE, "visit_types": ["video-30"]}
    made = there.post(HOURS, {**rule, "starts": "09:00", "ends": "00:00"})
    assert (made.status_code, body(made)["rrule"], body(made)["visit_types"]) == (201, "FREQ=MONTHLY;BYDAY=2TU", ["video-30"])
    day = {"first_day": "2027-01-01", "last_day": "2027-01-01", "timezone": ZONE, "kind": "off"}
    closed = there.post(EXCEPTIONS, {**day, "practitioner": None, "code": "holiday"})
    vacation = there.post(EXCEPTIONS, {**day, "practitioner": str(clinic.dr_dee.pk), "code": "vacation"})
    assert (closed.status_code, vacation.status_code) == (201, 201)

    cho, desk = client_for(clinic.cho), client_for(clinic.desk)
    assert {row["practitioner"] for row in body(cho.get(HOURS))["results"]} == {str(clinic.dr_cho.pk)}
    assert [row["id"] for row in body(cho.get(EXCEPTIONS))["results"]] == [body(closed)["id"]]
    assert len(body(desk.get(EXCEPTIONS))["results"]) == 2
    assert len(body(desk.get(HOURS, {"practitioner": str(clinic.dr_dee.pk)}))["results"]) == 1
    assert client_for(clinic.pia).get(HOURS).status_code == 404
    assert cho.post(HOURS, {**rule, "starts": "09:00", "ends": "10:00"}).status_code == 404

    assert there.delete(f"{HOURS}{body(made)['id']}/").status_code == 204
    assert there.delete(f"{EXCEPTIONS}{body(closed)['id']}/").status_code == 204
    assert Availability.objects.filter(practitioner=clinic.dr_cho).count() == 1


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ({"rrule": "FREQ=YEARLY"}, "rule_not_supported"),
        ({"rrule": "FREQ=DAILY;COUNT=3"}, "rule_needs_start"),
        ({"ends": "08:00"}, "hours_empty"),
        ({"timezone": "Here"}, "unknown_timezone"),
        ({"visit_types": ["nothing"]}, "unknown_visit_type"),
        ({"starts": "25:00"}, "invalid"),
        ({"valid_from": "0001-01-01"}, "hours_empty"),
    ],
)
def test_hours_asked_badly_by_rest(
    clinic: Clinic, make_account: MakeAccount, client_for: ClientFor, odd: dict[str, Any], code: str
) -> None:
    there = client_for(make_account("administrator"))
    rule = {"practitioner": str(clinic.dr_cho.pk), "rrule": "FREQ=DAILY", "starts": "09:00", "ends": "17:00", "timezone": ZONE}
    reply = there.post(HOURS, {**rule, **odd})
    codes = {body(reply)["code"], *(error["code"] for error in body(reply).get("errors", ()))}
    assert (reply.status_code, code in codes) == (400, True)


def test_the_admin_has_pages_for_closures(clinic: Clinic, make_account: MakeAccount, client_for: ClientFor) -> None:
    there, page = client_for(make_account("administrator")), "/admin/scheduling/availabilityexception/"
    form = {"kind": "off", "code": "holiday", "first_day": "2027-01-01", "last_day": "2027-01-02", "starts": "00:00", "ends": "00:00"}
    assert there.form(f"{page}add/", **form, timezone=ZONE).status_code == 302
    made = AvailabilityException.objects.get(code="holiday")
    assert Opening.objects.filter(source_id=made.pk, opens=False).count() == 2
    assert there.get(page).status_code == there.get(f"{page}{made.pk}/change/").status_code == 200
    assert there.form(f"{page}{made.pk}/delete/", post="yes").status_code == 302
    assert not Opening.objects.filter(source_id=made.pk).exists()
