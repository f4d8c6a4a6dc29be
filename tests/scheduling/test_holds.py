"""Time that is held for some minutes: confirmed, released, run out."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from audit.ledger import SYSTEM, Act
from scheduling import services
from scheduling.errors import HoldExpired, HoldOdd, PatientBusy, SlotTaken, StepNotAllowed, TooManyHolds
from scheduling.models import Appointment, Occupancy
from scheduling.services import holding
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from telehealth.records.models import CareRelationship
from tests.people import Acts, ClientFor, body
from tests.scheduling.conftest import Clinic
from tests.scheduling.test_no_double_booking import at_once, overlaps

APPOINTMENTS = "/api/v1/appointments/"


def soon() -> datetime:
    return now() + timedelta(minutes=10)


def held(clinic: Clinic, minutes: int = 0, **other: object) -> Appointment:
    return services.hold(**{**clinic.wish(minutes, by=clinic.pia.by), "until": soon(), **other})


def run_out(appointment: Appointment) -> None:
    """As if its minutes had passed."""
    Occupancy.objects.filter(appointment=appointment).update(held_until=now() - timedelta(seconds=1))


def rows(appointment: Appointment) -> set[tuple[bool, bool]]:
    return {(row.live, row.held_until is not None) for row in appointment.occupancies.all()}


def test_a_hold_keeps_others_out_and_tells_nobody(clinic: Clinic, acts: Acts) -> None:
    mine = held(clinic)
    assert (mine.status, rows(mine)) == ("pending", {(True, True)})
    with pytest.raises(SlotTaken):
        services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})
    with pytest.raises(PatientBusy):
        services.book(**clinic.wish() | {"practitioner_id": clinic.dr_dee.pk})
    assert acts() == [Act.APPOINTMENT_HELD]
    assert not CareRelationship.objects.filter(patient=clinic.pia_record).exists()
    assert not Message.objects.filter(object_id=mine.pk).exists()


def test_confirmed_it_is_a_booking_like_any_other(clinic: Clinic, acts: Acts) -> None:
    mine = held(clinic)
    booked = services.confirm(appointment_id=mine.pk, by=clinic.pia.by)
    assert (booked.status, booked.version, rows(booked)) == ("booked", 2, {(True, False)})
    assert CareRelationship.objects.filter(patient=clinic.pia_record, practitioner=clinic.dr_cho, source_id=mine.pk).exists()
    assert Message.objects.filter(kind="appointment_booked", object_id=mine.pk, person_id=clinic.pia.id).exists()
    assert acts() == [Act.APPOINTMENT_HELD, Act.APPOINTMENT_CONFIRMED, Act.APPOINTMENT_BOOKED, Act.CARE_BEGUN]
    assert services.confirm(appointment_id=mine.pk, by=clinic.pia.by).version == 2


@pytest.mark.parametrize("swept", [False, True])
def test_what_ran_out_is_not_confirmed_whether_anybody_swept_it_or_not(clinic: Clinic, swept: bool) -> None:
    mine = held(clinic)
    run_out(mine)
    if swept:
        assert services.sweep_holds() == 1
    with pytest.raises(HoldExpired):
        services.confirm(appointment_id=mine.pk, by=clinic.pia.by)
    assert Appointment.objects.get(pk=mine.pk).status == ("cancelled" if swept else "pending")


def test_the_next_booking_sweeps_what_ran_out(clinic: Clinic, acts: Acts) -> None:
    mine = held(clinic)
    run_out(mine)
    services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})
    gone = Appointment.objects.get(pk=mine.pk)
    assert (gone.status, gone.cancelled_reason, gone.version, rows(gone)) == ("cancelled", "hold-expired", 2, {(False, True)})
    assert acts()[1] == Act.APPOINTMENT_HOLD_RELEASED


def test_the_clock_sweeps_what_ran_out_and_nothing_else(clinic: Clinic) -> None:
    gone, stays, booked = held(clinic), held(clinic, 10), services.book(**clinic.wish(20))
    run_out(gone)
    assert (services.sweep_holds(), services.sweep_holds()) == (1, 0)
    found = {each.pk: each.status for each in Appointment.objects.all()}
    assert found == {gone.pk: "cancelled", stays.pk: "pending", booked.pk: "booked"}
    assert (rows(gone), rows(stays), rows(booked)) == ({(False, True)}, {(True, True)}, {(True, False)})


def test_released_the_time_is_free_at_once(clinic: Clinic) -> None:
    mine = held(clinic)
    for _ in range(2):
        released = services.release_hold(appointment_id=mine.pk, by=clinic.pia.by)
        assert (released.status, released.cancelled_reason, released.version) == ("cancelled", "hold-released", 2)
    services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})
    with pytest.raises(StepNotAllowed):
        services.confirm(appointment_id=mine.pk, by=clinic.pia.by)


def test_a_booking_is_no_hold_and_a_strangers_hold_is_not_there(clinic: Clinic) -> None:
    booked, mine = services.book(**clinic.wish()), held(clinic, 10)
    with pytest.raises(StepNotAllowed):
        services.release_hold(appointment_id=booked.pk, by=clinic.pia.by)
    for act in (services.confirm, services.release_hold):
        with pytest.raises(Missing):
            act(appointment_id=mine.pk, by=clinic.ned.by)
    with pytest.raises(StepNotAllowed):
        services.arrive(appointment_id=mine.pk, by=clinic.pia.by)


def test_cancelling_a_hold_lets_it_go(clinic: Clinic) -> None:
    mine = held(clinic)
    services.cancel(appointment_id=mine.pk, reason="pat", by=clinic.pia.by)
    assert rows(mine) == {(False, True)}
    assert not Message.objects.filter(object_id=mine.pk).exists()


def test_a_hold_ends_in_time_and_before_its_visit(clinic: Clinic) -> None:
    with pytest.raises(HoldOdd):
        held(clinic, until=now())
    long = held(clinic, until=now() + timedelta(days=30))
    assert set(long.occupancies.values_list("held_until", flat=True)) == {clinic.start()}


def test_nobody_holds_a_whole_day_for_themselves(clinic: Clinic) -> None:
    for n in range(holding.AT_ONCE):
        held(clinic, 10 * n)
    with pytest.raises(TooManyHolds):
        held(clinic, 60)
    held(clinic, 60, by=SYSTEM)  # the waiting list's offers are the clinic's
    run_out(Appointment.objects.order_by("starts_at")[0])
    held(clinic, 70, by=SYSTEM)


@pytest.mark.django_db(transaction=True)
def test_confirming_and_sweeping_at_once_come_to_one_end(clinic: Clinic) -> None:
    for n in range(4):
        mine = held(clinic, 10 * n)
        run_out(mine)
        outcome = at_once(
            [
                lambda pk=mine.pk: services.confirm(appointment_id=pk, by=clinic.pia.by),
                lambda n=n: services.book(**clinic.wish(10 * n) | {"patient_id": clinic.ned_record.pk}),
                services.sweep_holds,
            ]
        )
        assert outcome == ["hold_expired", "ok", "ok"]
        assert overlaps() == 0


def test_by_rest_an_appointment_made_pending_is_held(clinic: Clinic, client_for: ClientFor) -> None:
    app = client_for(clinic.pia)
    asked = {"patient": str(clinic.pia_record.pk), "practitioner": str(clinic.dr_cho.pk), "visit_type": "video-10"}
    asked |= {"starts_at": clinic.start().isoformat(), "status": "pending"}
    key = {"headers": {"Idempotency-Key": uuid4().hex}}
    made, again = app.post(APPOINTMENTS, asked, **key), app.post(APPOINTMENTS, asked, **key)
    assert (made.status_code, body(made)["status"], body(again)) == (201, "pending", body(made))
    left = datetime.fromisoformat(body(made)["held_until"]) - now()
    assert timedelta(minutes=4) < left <= timedelta(minutes=10)
    path = f"{APPOINTMENTS}{body(made)['id']}/"
    confirmed = app.post(f"{path}confirm/")
    assert (confirmed.status_code, body(confirmed)["status"], body(confirmed)["held_until"]) == (200, "booked", None)
    assert (app.post(f"{path}confirm/").status_code, body(app.post(f"{path}release/"))["code"]) == (200, "appointment_status")


def test_by_rest_what_ran_out_is_gone(clinic: Clinic, client_for: ClientFor) -> None:
    app, mine, other = client_for(clinic.pia), held(clinic), held(clinic, 10)
    run_out(mine)
    gone = app.post(f"{APPOINTMENTS}{mine.pk}/confirm/")
    assert (gone.status_code, body(gone)["code"]) == (409, "hold_expired")
    assert body(app.post(f"{APPOINTMENTS}{other.pk}/release/"))["cancelled_reason"] == "hold-released"
    assert app.post(f"{APPOINTMENTS}{other.pk}/release/").status_code == 200


@pytest.mark.parametrize("status", ["fulfilled", "proposed", "cancelled", "", 1])
def test_by_rest_nothing_else_can_be_made(clinic: Clinic, client_for: ClientFor, status: object) -> None:
    asked = {"patient": str(clinic.pia_record.pk), "practitioner": str(clinic.dr_cho.pk), "visit_type": "video-10"}
    asked |= {"starts_at": clinic.start().isoformat(), "status": status}
    assert client_for(clinic.pia).post(APPOINTMENTS, asked).status_code == 400
    assert not Appointment.objects.exists()
