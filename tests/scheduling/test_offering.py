"""Visit types and weekly hours: who may set them, what is refused, the admin, and the demonstration's part."""

from datetime import date, time
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction

from audit.ledger import SYSTEM, Act
from audit.ledger.models import Entry
from scheduling import demo, selectors, services
from scheduling.errors import HoursEmpty, UnknownPractitioner, UnknownTimezone, UnknownVisitType, VisitTypeOdd
from scheduling.models import Availability, VisitType
from telehealth.core.demo import DemoClinic
from telehealth.core.errors import Refused
from telehealth.records.models import Practitioner
from tests.people import Acts, ClientFor, MakeAccount, body
from tests.scheduling.conftest import ZONE, Clinic


def hours(clinic: Clinic, **changed: Any) -> dict[str, Any]:
    usual = {"rrule": "FREQ=WEEKLY;BYDAY=MO", "starts": time(9), "ends": time(17), "timezone": ZONE, "by": SYSTEM}
    return {"practitioner_id": clinic.dr_cho.pk, **usual, **changed}


def test_only_administrators_say_what_can_be_booked(clinic: Clinic, make_account: MakeAccount, acts: Acts) -> None:
    admin = make_account("administrator")
    for role in ("patient", "provider", "front_desk", "nurse", "biller", "privacy_officer"):
        with pytest.raises(Refused):
            services.define_visit_type(code="x", name="X", minutes=10, by=make_account(role).by)
        with pytest.raises(Refused):
            services.open_hours(**hours(clinic, by=make_account(role).by))
    kind = services.define_visit_type(code="x", name="X", minutes=10, by=admin.by)
    services.change_visit_type(visit_type_id=kind.pk, changes={"is_active": False, "code": "y"}, by=admin.by)
    opened = services.open_hours(**hours(clinic, by=admin.by))
    services.close_hours(availability_id=opened.pk, by=admin.by)
    assert VisitType.objects.get(pk=kind.pk).code == "x"
    assert "x" not in selectors.visit_types().values_list("code", flat=True)
    done = [act for act in acts() if act in (Act.VISIT_TYPE_DEFINED, Act.VISIT_TYPE_CHANGED, Act.HOURS_OPENED, Act.HOURS_CLOSED)]
    assert done == [Act.VISIT_TYPE_DEFINED, Act.VISIT_TYPE_CHANGED, Act.HOURS_OPENED, Act.HOURS_CLOSED]


def test_a_change_past_the_services_is_on_record_too(clinic: Clinic) -> None:
    clinic.quick.name = "Changed in a shell"
    clinic.quick.save()
    entry = Entry.objects.filter(act=Act.OBJECT_CHANGED, object_pk=str(clinic.quick.pk)).latest("id")
    assert "name" in entry.detail
    assert "shell" not in entry.detail


@pytest.mark.parametrize(
    "odd",
    [
        {"minutes": 4},
        {"minutes": 481},
        {"step_minutes": 4},
        {"horizon_days": 0},
        {"horizon_days": 731},
        {"buffer_before": 121},
        {"buffer_after": 121},
        {"lead_minutes": 43_201},
        {"code": "video-10"},
    ],
)
def test_visit_types_that_make_no_sense(clinic: Clinic, odd: dict[str, Any]) -> None:
    with pytest.raises(VisitTypeOdd):
        services.define_visit_type(**{"code": "odd", "name": "Odd", "minutes": 10, "by": SYSTEM, **odd})


@pytest.mark.parametrize(
    ("odd", "error"),
    [
        ({"ends": time(9)}, HoursEmpty),
        ({"ends": time(8)}, HoursEmpty),
        ({"rrule": "FREQ=WEEKLY;BYDAY=MO", "valid_from": date(2026, 12, 1), "valid_to": date(2026, 12, 6)}, HoursEmpty),  # no Monday
        ({"rrule": "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", "valid_from": date(2027, 2, 1)}, HoursEmpty),  # never in February
        ({"valid_from": date(1, 1, 1)}, HoursEmpty),
        ({"visit_types": ("video-10", "nothing")}, UnknownVisitType),
        ({"valid_from": date(2026, 2, 2), "valid_to": date(2026, 2, 1)}, HoursEmpty),
        ({"timezone": "Mars/Olympus"}, UnknownTimezone),
        ({"timezone": "../../etc/passwd"}, UnknownTimezone),
        ({"practitioner_id": uuid4()}, UnknownPractitioner),
    ],
)
def test_hours_that_make_no_sense(clinic: Clinic, odd: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        services.open_hours(**hours(clinic, **odd))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("minutes = 0", "visit_type_numbers_make_sense"),
        ("rrule = 'FREQ=YEARLY'", "availability_recurs"),
        ("starts = '09:00', ends = '08:00'", "availability_ends_after_it_starts"),
        ("valid_from = '2026-02-02', valid_to = '2026-02-01'", "availability_has_days"),
    ],
)
def test_the_database_says_so_too(clinic: Clinic, change: str, name: str) -> None:
    table = "scheduling_visittype" if name.startswith("visit") else "scheduling_availability"
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {change}")


def test_administrators_use_the_admin(clinic: Clinic, make_account: MakeAccount, client_for: ClientFor, acts: Acts) -> None:
    there = client_for(make_account("administrator"))
    kinds, weekly = "/admin/scheduling/visittype/", "/admin/scheduling/availability/"
    form = {"name": "Check-up", "modality": "video", "minutes": 20, "step_minutes": 20, "buffer_before": 0, "buffer_after": 0}
    form |= {"lead_minutes": 0, "horizon_days": 30, "is_active": "on", "who_may_book": "anyone", "capacity": 1}
    form |= {"cancel_notice_minutes": 0, "late_cancel": "flag"}
    assert there.form(f"{kinds}add/", code="check-up", **form).status_code == 302
    made = VisitType.objects.get(code="check-up")
    assert there.form(f"{kinds}{made.pk}/change/", **{**form, "minutes": 25}).status_code == 302
    assert there.form(f"{kinds}{made.pk}/change/", **{**form, "minutes": 2}).status_code == 200  # the form again, with the reason
    assert VisitType.objects.get(code="check-up").minutes == 25

    given = {"practitioner": clinic.dr_cho.pk, "rrule": "freq=weekly;byday=SU", "starts": "09:00", "ends": "00:00", "timezone": ZONE}
    assert there.form(f"{weekly}add/", **given, valid_from="2030-01-01").status_code == 302
    opened = Availability.objects.get(valid_from=date(2030, 1, 1))
    assert there.get(weekly).status_code == there.get(f"{weekly}{opened.pk}/change/").status_code == 200
    assert there.form(f"{weekly}{opened.pk}/delete/", post="yes").status_code == 302
    assert not Availability.objects.filter(pk=opened.pk).exists()
    assert acts()[-4:] == [Act.VISIT_TYPE_DEFINED, Act.VISIT_TYPE_CHANGED, Act.HOURS_OPENED, Act.HOURS_CLOSED]


@pytest.mark.parametrize("role", ["patient", "provider", "front_desk", "privacy_officer"])
def test_nobody_else_does(clinic: Clinic, make_account: MakeAccount, client_for: ClientFor, role: str) -> None:
    there = client_for(make_account(role))
    for path in ("visittype/", "visittype/add/", "availability/", f"visittype/{clinic.quick.pk}/change/"):
        assert there.get(f"/admin/scheduling/{path}").status_code in (302, 403)


def test_the_demonstration_can_be_visited_at_any_time(clinic: Clinic, make_account: MakeAccount) -> None:
    VisitType.objects.all().delete()
    for hours in Availability.objects.all():
        services.close_hours(availability_id=hours.pk, by=SYSTEM)
    there = DemoClinic()
    for key in demo.PROVIDERS:
        practitioner = Practitioner.objects.create(account_id=make_account("provider").id, timezone="America/New_York")
        there.ids[f"practitioner_{key}"] = practitioner.pk
    demo.make(there)
    demo.make(there)
    assert Availability.objects.count() == 4
    kind = VisitType.objects.get(code="video-10")
    assert (kind.lead_minutes, kind.buffer_before, kind.buffer_after, kind.checkin_opens_minutes) == (0, 0, 0, None)
    found = selectors.slots(SYSTEM, visit_type="video-10", since=clinic.start(), until=clinic.start(60 * 24), zone=ZoneInfo(ZONE), limit=1)
    assert sum(found.per_day.values()) == 4 * 144


def test_a_kind_of_visit_says_by_rest_what_who_books_has_to_know(clinic: Clinic, client_for: ClientFor) -> None:
    facts = {
        "modality": "audio",
        "who_may_book": "established",
        "needs": ["interpreter"],
        "capacity": 4,
        "questionnaire": "https://example.org/Questionnaire/sleep",
        "price_code": "99213",
        "cancel_notice_minutes": 60,
        "late_cancel": "refuse",
    }
    services.define_visit_type(code="told", name="Told", minutes=20, by=SYSTEM, **facts)
    kinds = {each["code"]: each for each in body(client_for(clinic.pia).get("/api/v1/visit-types/"))["results"]}
    assert {name: kinds["told"][name] for name in facts} == facts
