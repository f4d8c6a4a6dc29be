"""Series: all or none, the same time of day across DST, the rest called off in one act."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from audit.ledger import SYSTEM, Act
from scheduling import services
from scheduling.errors import RuleNotSupported, SeriesClash, SeriesOdd, TooLateToCancel
from scheduling.models import Appointment, AppointmentSeries, LateCancel
from scheduling.series import starts_of
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from tests.people import Acts, ClientFor, body
from tests.scheduling.conftest import Clinic
from tests.scheduling.test_no_double_booking import overlaps

SERIES = "/api/v1/appointment-series/"
NEW_YORK = ZoneInfo("America/New_York")
DAILY = "FREQ=DAILY;COUNT=4"


def series(clinic: Clinic, rule: str = DAILY, **other: Any) -> AppointmentSeries:
    return services.book_series(**{**clinic.wish(by=clinic.pia.by), "rule": rule, **other})


def test_each_is_an_appointment_of_its_own_and_the_patient_is_told_once(clinic: Clinic, acts: Acts) -> None:
    made = series(clinic, reason="Physiotherapy")
    found = list(Appointment.objects.order_by("starts_at"))
    assert [each.starts_at for each in found] == [clinic.start() + timedelta(days=n) for n in range(4)]
    assert {(each.series_id, each.reason, each.status) for each in found} == {(made.pk, "Physiotherapy", "booked")}
    told = Message.objects.filter(kind="appointment_booked", person_id=clinic.pia.id)
    assert {message.object_id for message in told} == {found[0].pk}
    assert acts().count(Act.APPOINTMENT_BOOKED) == 4
    assert acts()[-1] == Act.APPOINTMENT_SERIES_BOOKED
    services.reschedule(appointment_id=found[1].pk, starts_at=clinic.start(30) + timedelta(days=1), by=clinic.pia.by)
    services.cancel(appointment_id=found[2].pk, reason="pat", by=clinic.pia.by)
    assert overlaps() == 0


def test_where_one_cannot_be_none_is_and_each_clash_is_told(clinic: Clinic) -> None:
    day = timedelta(days=1)
    taken = services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk, "starts_at": clinic.start() + day})
    busy = services.book(**clinic.wish() | {"practitioner_id": clinic.dr_dee.pk, "starts_at": clinic.start() + 3 * day})
    with pytest.raises(SeriesClash) as caught:
        series(clinic, "FREQ=DAILY;INTERVAL=1;COUNT=4")
    told = [(each["starts_at"], each["code"]) for each in caught.value.reply["clashes"]]
    expected = [(clinic.start() + day, "slot_taken"), (clinic.start() + 3 * day, "patient_busy")]
    assert told == [(at.isoformat().replace("+00:00", "Z"), code) for at, code in expected]
    assert set(Appointment.objects.values_list("pk", flat=True)) == {taken.pk, busy.pk}
    assert not AppointmentSeries.objects.exists()


def test_what_lies_beyond_the_horizon_is_a_clash_like_any_other(clinic: Clinic) -> None:
    with pytest.raises(SeriesClash) as caught:
        series(clinic, "FREQ=WEEKLY;COUNT=10")
    assert {each["code"] for each in caught.value.reply["clashes"]} == {"beyond_horizon"}
    assert len(caught.value.reply["clashes"]) == 1


def test_the_time_of_day_is_the_same_on_either_side_of_a_change_of_clocks() -> None:
    first = datetime(2026, 10, 25, 14, tzinfo=UTC)  # 10:00 in New York; the clocks go back on the first of November
    starts = starts_of("FREQ=WEEKLY;COUNT=3", first, NEW_YORK)
    assert [at.astimezone(NEW_YORK).hour for at in starts] == [10, 10, 10]
    assert [at.hour for at in starts] == [14, 15, 15]


def test_a_time_that_the_clock_skips_moves_forward() -> None:
    first = datetime(2026, 3, 1, 7, 30, tzinfo=UTC)  # 02:30; on the eighth there is none
    starts = starts_of("FREQ=WEEKLY;COUNT=2", first, NEW_YORK)
    assert starts[1] == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert starts[1].astimezone(NEW_YORK).hour == 3


@pytest.mark.parametrize(
    ("rule", "many"),
    [
        ("FREQ=WEEKLY;COUNT=52", 52),
        ("RRULE:FREQ=WEEKLY;COUNT=2", 2),
        ("FREQ=DAILY;UNTIL=20260112", 8),
        ("FREQ=DAILY;UNTIL=20260112T150000Z", 8),
        ("FREQ=DAILY;UNTIL=20260112T145959Z", 7),
        ("FREQ=MONTHLY;BYDAY=1MO;COUNT=6", 6),
        ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=5", 5),
    ],
)
def test_rules_that_are_understood(rule: str, many: int) -> None:
    assert len(starts_of(rule, datetime(2026, 1, 5, 15, tzinfo=UTC), NEW_YORK)) == many  # a Monday


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ("FREQ=WEEKLY", SeriesOdd),
        ("FREQ=WEEKLY;COUNT=1", SeriesOdd),
        ("FREQ=WEEKLY;COUNT=53", SeriesOdd),
        ("FREQ=DAILY;UNTIL=20991231", SeriesOdd),
        ("FREQ=DAILY;UNTIL=20260101", SeriesOdd),
        ("FREQ=DAILY;UNTIL=20269999", SeriesOdd),
        ("FREQ=DAILY;COUNT=3;UNTIL=20260112", SeriesOdd),
        ("FREQ=WEEKLY;BYDAY=TU;COUNT=3", SeriesOdd),  # the first start is a Monday's
        ("FREQ=SECONDLY;COUNT=3", RuleNotSupported),
        ("FREQ=YEARLY;COUNT=3", RuleNotSupported),
        ("tomorrow and the day after", RuleNotSupported),
    ],
)
def test_rules_that_make_no_series(rule: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        starts_of(rule, datetime(2026, 1, 5, 15, tzinfo=UTC), NEW_YORK)


def test_the_rest_is_called_off_in_one_act(clinic: Clinic, acts: Acts) -> None:
    made = series(clinic)
    rest = services.cancel_series(series_id=made.pk, reason="pat", since=clinic.start(1), by=clinic.pia.by)
    assert len(rest) == 3
    stand = Appointment.objects.filter(status="booked")
    assert [each.starts_at for each in stand] == [clinic.start()]
    assert Message.objects.filter(kind="appointment_cancelled").values("object_id").distinct().count() == 1
    assert acts()[-1] == Act.APPOINTMENT_SERIES_CANCELLED
    assert len(services.cancel_series(series_id=made.pk, by=clinic.desk.by)) == 1
    assert services.cancel_series(series_id=made.pk, by=clinic.desk.by) == []
    assert set(Appointment.objects.values_list("cancelled_reason", flat=True)) == {"pat", "series"}
    with pytest.raises(Missing):
        services.cancel_series(series_id=made.pk, by=clinic.ned.by)


def test_where_one_is_too_late_to_cancel_all_stay(clinic: Clinic) -> None:
    made = series(clinic)
    changes = {"cancel_notice_minutes": 2 * 24 * 60, "late_cancel": LateCancel.REFUSE}
    services.change_visit_type(visit_type_id=clinic.quick.pk, changes=changes, by=SYSTEM)
    with pytest.raises(TooLateToCancel):
        services.cancel_series(series_id=made.pk, by=clinic.pia.by)
    assert Appointment.objects.filter(status="booked").count() == 4
    assert len(services.cancel_series(series_id=made.pk, by=clinic.pia.by, since=clinic.start() + timedelta(days=2))) == 2


def test_by_rest(clinic: Clinic, client_for: ClientFor) -> None:
    app = client_for(clinic.pia)
    asked = {"patient": str(clinic.pia_record.pk), "practitioner": str(clinic.dr_cho.pk), "visit_type": "video-10"}
    asked |= {"starts_at": clinic.start().isoformat(), "rule": DAILY}
    made = app.post(SERIES, asked)
    assert (made.status_code, len(body(made)["appointments"])) == (201, 4)
    path = f"{SERIES}{body(made)['id']}/"
    assert body(app.get(path)) == body(made)
    assert {each["series"] for each in body(made)["appointments"]} == {body(made)["id"]}
    clash = app.post(SERIES, asked)
    assert (clash.status_code, body(clash)["code"]) == (409, "series_clash")
    assert [each["code"] for each in body(clash)["clashes"]] == ["patient_busy"] * 4
    odd = app.post(SERIES, asked | {"rule": "FREQ=WEEKLY"})
    assert (odd.status_code, body(odd)["code"]) == (400, "series_odd")
    assert client_for(clinic.ned).get(path).status_code == 404
    off = app.post(f"{path}cancel/", {"reason": "pat"})
    assert {each["status"] for each in body(off)["appointments"]} == {"cancelled"}
