"""Slot search by what people ask for: whom, in which language, where, when in the day; and what fills a day."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.ledger import SYSTEM
from scheduling import selectors, services
from scheduling.errors import DayFull
from scheduling.models import Appointment, VisitType
from scheduling.selectors.paging import first_offers, per_day
from scheduling.services import Overbooking
from scheduling.spans import moment
from telehealth.records.models import License, LicenseException, Practitioner
from tests.people import ClientFor, body
from tests.scheduling.conftest import ZONE, Clinic

NEW_YORK = ZoneInfo(ZONE)
SLOTS = "/api/v1/slots/"


def found(clinic: Clinic, hours: int = 1, **asked: Any) -> selectors.SlotPage:
    window = {"since": clinic.start(), "until": clinic.start(60 * hours)}
    return selectors.slots(SYSTEM, **{"visit_type": "video-10", "zone": NEW_YORK, "limit": 5000, **window, **asked})


def whose(page: selectors.SlotPage) -> set[UUID]:
    return {UUID(int=who) for _, who in page.offers}


@pytest.fixture
def speakers(clinic: Clinic) -> Clinic:
    for doctor, specialty, languages in ((clinic.dr_cho, "Cardiology", ["en", "es-MX"]), (clinic.dr_dee, "Family medicine", ["EN-us"])):
        Practitioner.objects.filter(pk=doctor.pk).update(specialty=specialty, languages=languages)
    return clinic


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"specialty": "cardiology"}, {"dr_cho"}),
        ({"specialty": "Cardio"}, set()),
        ({"language": "es"}, {"dr_cho"}),
        ({"language": "ES-mx"}, {"dr_cho"}),
        ({"language": "es-ES"}, set()),
        ({"language": "e"}, set()),
        ({"language": "en"}, {"dr_cho", "dr_dee"}),
        ({"language": "en", "specialty": "Family medicine"}, {"dr_dee"}),
    ],
)
def test_by_specialty_and_language(speakers: Clinic, asked: dict[str, str], expected: set[str]) -> None:
    assert whose(found(speakers, **asked)) == {getattr(speakers, name).pk for name in expected}


def test_only_who_may_practise_where_the_patient_will_be_and_only_while_they_may(clinic: Clinic) -> None:
    turn = clinic.start(24 * 60).astimezone(NEW_YORK).date()
    midnight = datetime.combine(turn, datetime.min.time(), NEW_YORK).timestamp()
    License.objects.create(practitioner=clinic.dr_cho, state="VT", valid_from=date(2020, 1, 1), valid_to=turn - timedelta(days=1))
    LicenseException.objects.create(practitioner=clinic.dr_dee, state="VT", basis="emergency-waiver", valid_from=turn)
    page = found(clinic, 48, state="Vermont")
    assert {start < midnight for start, who in page.offers if UUID(int=who) == clinic.dr_cho.pk} == {True}
    assert {start >= midnight for start, who in page.offers if UUID(int=who) == clinic.dr_dee.pk} == {True}
    assert found(clinic, 48, state="NV").offers == []
    assert len(found(clinic, 48, state="MA").offers) == 2 * 48 * 6
    for start, who in (page.offers[0], page.offers[-1]):
        taken = {"practitioner_id": UUID(int=who), "starts_at": moment(start), "state": "VT"}
        assert services.book(**clinic.wish() | taken).patient_state == "VT"


@pytest.mark.parametrize(("part", "hours"), [("morning", range(12)), ("afternoon", range(12, 17)), ("evening", range(17, 24))])
def test_parts_of_the_day_are_by_the_clock_of_who_asks(clinic: Clinic, part: str, hours: range) -> None:
    for zone in (NEW_YORK, ZoneInfo("Asia/Kolkata")):
        page = found(clinic, 72, part_of_day=part, zone=zone)
        assert {moment(start).astimezone(zone).hour for start, _ in page.offers} == set(hours)
        assert sum(page.per_day.values()) == len(page.offers) == 3 * len(hours) * 6 * 2


def test_by_rest(speakers: Clinic, client_for: ClientFor) -> None:
    app = client_for(speakers.pia)
    asked = {"visit_type": "video-10", "language": "es", "specialty": "Cardiology", "state": "MA", "part_of_day": "morning", "limit": 1}
    first = body(app.get(SLOTS, asked))["results"]
    assert [each["practitioner"] for each in first] == [str(speakers.dr_cho.pk)]
    for odd, code in (
        ({"language": "es; drop"}, "invalid"),
        ({"language": 'e")'}, "invalid"),
        ({"part_of_day": "night"}, "invalid_choice"),
        ({"state": "Narnia"}, "patient_state_unknown"),
        ({"specialty": ""}, "blank"),
        ({"colour": "blue"}, "unknown_field"),
        ({"limit": "101"}, "invalid"),
    ):
        reply = app.get(SLOTS, {**asked, **odd})
        codes = {body(reply)["code"], *(error["code"] for error in body(reply).get("errors", ()))}
        assert (reply.status_code, code in codes) == (400, True), (odd, codes)


def test_all_providers_are_asked_in_one_statement(clinic: Clinic) -> None:
    with CaptureQueriesContext(connection) as asked:
        found(clinic, 24, state="MA", language="", patient_id=None)
    assert sum("scheduling_opening" in each["sql"] for each in asked.captured_queries) == 1
    assert len(asked) <= 5  # the kind, licences and exceptions that turn, the time; nobody by themselves


def capped(most: int = 2) -> VisitType:
    return services.define_visit_type(code="capped", name="Capped", minutes=30, most_per_day=most, by=SYSTEM)


def test_a_full_day_is_neither_offered_nor_booked(clinic: Clinic) -> None:
    capped()
    day = clinic.start(24 * 60).astimezone(NEW_YORK).replace(hour=9)
    for n in range(2):
        made = services.book(**clinic.wish(visit_type="capped") | {"starts_at": day + timedelta(hours=n)})
    page = found(clinic, 72, visit_type="capped")
    days = {moment(start).astimezone(NEW_YORK).date() for start, who in page.offers if UUID(int=who) == clinic.dr_cho.pk}
    assert day.date() not in days
    assert day.date() + timedelta(days=1) in days
    assert whose(found(clinic, 72, visit_type="capped")) == {clinic.dr_cho.pk, clinic.dr_dee.pk}
    with pytest.raises(DayFull):
        services.book(**clinic.wish(visit_type="capped") | {"starts_at": day + timedelta(hours=5)})
    late = day.replace(hour=23, minute=30)
    with pytest.raises(DayFull):
        services.book(**clinic.wish(visit_type="capped") | {"starts_at": late})  # by UTC this is the next day
    moved = services.reschedule(
        appointment_id=made.pk, starts_at=day + timedelta(hours=6), by=clinic.desk.by
    )  # fills no day that it leaves
    over = Overbooking("urgent", "It cannot wait")
    services.book(**clinic.wish(visit_type="capped") | {"starts_at": late, "overbooking": over, "patient_id": clinic.ned_record.pk})
    services.cancel(appointment_id=moved.pk, reason="pat", by=clinic.desk.by)
    assert Appointment.objects.filter(status="booked").count() == 2
    services.change_visit_type(visit_type_id=moved.visit_type_id, changes={"most_per_day": 3}, by=SYSTEM)
    assert services.book(**clinic.wish(visit_type="capped") | {"starts_at": day + timedelta(hours=5)})


def test_a_group_is_offered_where_it_is_planned_and_has_places(clinic: Clinic) -> None:
    services.define_visit_type(code="group", name="Group", minutes=60, capacity=2, by=SYSTEM)
    assert found(clinic, 24, visit_type="group").offers == []
    wish = {"practitioner_id": clinic.dr_cho.pk, "visit_type": "group", "starts_at": clinic.start(60)}
    services.plan_group_visit(**wish, by=clinic.desk.by)
    offer = (int(clinic.start(60).timestamp()), clinic.dr_cho.pk.int)
    assert found(clinic, 24, visit_type="group").offers == [offer]
    assert found(clinic, 24, visit_type="group", practitioner_id=clinic.dr_dee.pk).offers == []
    services.book(**clinic.wish(60, visit_type="group"))
    mine = {"visit_type": "group", "zone": NEW_YORK, "since": clinic.start(), "until": clinic.start(600)}
    assert selectors.slots(clinic.pia.by, **mine).offers == []  # she is in it
    assert selectors.slots(clinic.ned.by, **mine).offers == [offer]
    services.book(**clinic.wish(60, visit_type="group") | {"patient_id": clinic.ned_record.pk})
    assert found(clinic, 24, visit_type="group").offers == []


def test_what_a_visit_needs_must_be_free_too(clinic: Clinic) -> None:
    services.define_visit_type(code="room", name="Room", minutes=30, needs=["room"], by=SYSTEM)
    assert found(clinic, 24, visit_type="room").offers == []
    services.define_resource(kind="room", name="One", by=SYSTEM)
    services.book(**clinic.wish(visit_type="room"))
    free = found(clinic, 1, visit_type="room")
    assert [start for start, _ in free.offers] == [int(clinic.start(30).timestamp())] * 2
    services.define_resource(kind="room", name="Two", by=SYSTEM)
    assert whose(found(clinic, 1, visit_type="room", until=clinic.start(30))) == {clinic.dr_dee.pk}


def test_pages_and_counts_are_those_of_the_whole_list() -> None:
    one, two = uuid4().int, uuid4().int
    runs = [(one, 0, 5), (two, 300, 4), (one, 86_400, 1), (two, 86_100, 2)]
    whole = sorted((first + n * 300, who) for who, first, count in runs for n in range(count))
    assert first_offers(runs, 300, None, 100) == whole
    for n in range(len(whole)):
        assert first_offers(runs, 300, whole[n], 3) == whole[n : n + 3]
        assert first_offers(runs, 300, (whole[n][0] + 1, 0), 3) == [each for each in whole if each[0] > whole[n][0]][:3]
    assert per_day(runs, 300, (0, 90_000), ZoneInfo("UTC")) == {"1970-01-01": 10, "1970-01-02": 2}
    assert per_day([(one, 0, 300)], 900, (0, 300 * 900), ZoneInfo("UTC")) == {
        "1970-01-01": 96,
        "1970-01-02": 96,
        "1970-01-03": 96,
        "1970-01-04": 12,
    }
