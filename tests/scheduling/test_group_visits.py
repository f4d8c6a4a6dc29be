"""One provider's time for several patients: planned, filled, called off."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from audit.ledger import SYSTEM, Act
from scheduling import services
from scheduling.errors import (
    GroupVisitFull,
    GroupVisitOver,
    InAGroup,
    NotAGroup,
    NotPlanned,
    OverbookingOdd,
    PatientBusy,
    SlotTaken,
    StartMisaligned,
    UnderWay,
    VisitTypeOdd,
)
from scheduling.models import Appointment, GroupVisit, Occupancy, VisitType
from telehealth.core import now
from telehealth.core.errors import Refused
from telehealth.outbox.models import Message
from telehealth.records.models import CareRelationship, Patient
from tests.people import Acts, ClientFor, body
from tests.scheduling.conftest import Clinic
from tests.scheduling.test_no_double_booking import at_once, overlaps, violated

GROUPS = "/api/v1/group-visits/"


@pytest.fixture
def group(clinic: Clinic) -> VisitType:
    return services.define_visit_type(
        code="group", name="Group", minutes=60, step_minutes=60, buffer_before=10, buffer_after=10, capacity=3, by=SYSTEM
    )


def plan(clinic: Clinic, minutes: int = 0, **other: Any) -> GroupVisit:
    usual = {"practitioner_id": clinic.dr_cho.pk, "visit_type": "group", "starts_at": clinic.start(minutes), "by": clinic.desk.by}
    return services.plan_group_visit(**{**usual, **other})


def place(clinic: Clinic, patient: Patient | None = None, minutes: int = 0, **other: Any) -> Appointment:
    who = {"patient_id": (patient or clinic.pia_record).pk}
    return services.book(**{**clinic.wish(minutes, visit_type="group"), **who, **other})


def crowd(many: int) -> list[Patient]:
    return [Patient.objects.create(mrn=f"G-{n}", family="Crowd", address={"state": "MA"}) for n in range(many)]


def test_the_provider_is_taken_once_with_buffers_and_each_patient_without(clinic: Clinic, group: VisitType) -> None:
    visit = plan(clinic)
    made = [place(clinic), place(clinic, clinic.ned_record)]
    rows = {(row.party, row.during.lower, row.during.upper) for row in Occupancy.objects.filter(live=True)}
    start, end = clinic.start(), clinic.start(60)
    assert rows == {
        (clinic.dr_cho.pk, clinic.start(-10), clinic.start(70)),
        (clinic.pia_record.pk, start, end),
        (clinic.ned_record.pk, start, end),
    }
    assert {each.group_visit_id for each in made} == {visit.pk}
    with pytest.raises(SlotTaken):
        services.book(**clinic.wish(60) | {"patient_id": crowd(1)[0].pk})
    with pytest.raises(PatientBusy):
        services.book(**clinic.wish(30) | {"practitioner_id": clinic.dr_dee.pk})
    with pytest.raises(PatientBusy):  # nobody has two places
        place(clinic)


def test_a_place_is_an_appointment_like_any_other(clinic: Clinic, group: VisitType, acts: Acts) -> None:
    plan(clinic)
    made = place(clinic, reason="Diabetes")
    assert Appointment.objects.get(pk=made.pk).reason == "Diabetes"
    assert CareRelationship.objects.filter(patient=clinic.pia_record, practitioner=clinic.dr_cho, source_id=made.pk).exists()
    assert Message.objects.filter(kind="appointment_booked", object_id=made.pk).exists()
    assert acts() == [Act.GROUP_VISIT_PLANNED, Act.APPOINTMENT_BOOKED, Act.CARE_BEGUN]
    services.arrive(appointment_id=made.pk, by=clinic.pia.by)
    services.fulfil(appointment_id=made.pk, by=clinic.cho.by)


def test_a_full_one_is_full_until_a_place_is_freed(clinic: Clinic, group: VisitType) -> None:
    plan(clinic, capacity=2)
    first, _ = place(clinic), place(clinic, clinic.ned_record)
    third = crowd(1)[0]
    with pytest.raises(GroupVisitFull):
        place(clinic, third)
    services.cancel(appointment_id=first.pk, reason="pat", by=clinic.pia.by)
    place(clinic, third)
    with pytest.raises(GroupVisitFull):
        place(clinic)


def test_a_held_place_counts_until_it_runs_out(clinic: Clinic, group: VisitType) -> None:
    plan(clinic, capacity=2)
    place(clinic, clinic.ned_record)
    held = services.hold(**clinic.wish(visit_type="group"), until=now() + timedelta(minutes=5))
    third = crowd(1)[0]
    with pytest.raises(GroupVisitFull):
        place(clinic, third)
    Occupancy.objects.filter(appointment=held).update(held_until=now())
    place(clinic, third)
    assert Appointment.objects.get(pk=held.pk).cancelled_reason == "hold-expired"


def test_no_more_stand_in_it_than_it_has_places_whatever_path_writes(clinic: Clinic, group: VisitType) -> None:
    visit = plan(clinic)
    for patient in (clinic.pia_record, clinic.ned_record, crowd(1)[0]):
        place(clinic, patient)
    few = "UPDATE scheduling_groupvisit SET capacity = 2 WHERE id = %s"
    assert violated(few, visit.pk) == "group_visit_has_places"
    assert violated("UPDATE scheduling_groupvisit SET is_cancelled = true WHERE id = %s", visit.pk) == "group_visit_has_places"
    off = "UPDATE scheduling_occupancy SET live = false WHERE group_visit_id = %s"
    assert violated(off, visit.pk) == "appointment_holds_its_time"


def test_what_is_not_planned_has_no_places(clinic: Clinic, group: VisitType) -> None:
    with pytest.raises(NotPlanned):
        place(clinic)
    visit = plan(clinic)
    with pytest.raises(OverbookingOdd):
        place(clinic, overbooking=services.Overbooking("urgent", "Please"))
    services.cancel_group_visit(group_visit_id=visit.pk, reason="prov", by=clinic.desk.by)
    with pytest.raises(NotPlanned):
        place(clinic)


@pytest.mark.parametrize(
    ("odd", "error"),
    [
        ({"visit_type": "video-10"}, NotAGroup),
        ({"capacity": 1}, VisitTypeOdd),
        ({"capacity": 4}, VisitTypeOdd),
        ({"starts_at": timedelta(minutes=5)}, StartMisaligned),
        ({"by": "pia"}, Refused),
        ({"by": "cho"}, Refused),
    ],
)
def test_what_cannot_be_planned(clinic: Clinic, group: VisitType, odd: dict[str, Any], error: type[Exception]) -> None:
    people = {"pia": clinic.pia.by, "cho": clinic.cho.by}
    changed = {name: clinic.start() + value if isinstance(value, timedelta) else people.get(value, value) for name, value in odd.items()}
    with pytest.raises(error):
        plan(clinic, **changed)
    assert not GroupVisit.objects.exists()


def test_no_group_is_planned_over_a_visit(clinic: Clinic, group: VisitType) -> None:
    services.book(**clinic.wish(60))  # touches the buffer
    with pytest.raises(SlotTaken):
        plan(clinic)


def test_called_off_for_all_at_once(clinic: Clinic, group: VisitType) -> None:
    visit = plan(clinic)
    booked, held = (
        place(clinic),
        services.hold(**clinic.wish(visit_type="group") | {"patient_id": clinic.ned_record.pk}, until=clinic.start()),
    )
    services.cancel_group_visit(group_visit_id=visit.pk, reason="prov", by=clinic.desk.by)
    assert {each.status for each in Appointment.objects.all()} == {"cancelled"}
    assert not Occupancy.objects.filter(live=True).exists()
    told = Message.objects.filter(kind="appointment_cancelled").values_list("object_id", flat=True)
    assert set(told) == {booked.pk}
    assert held.pk not in told
    with pytest.raises(GroupVisitOver):
        services.cancel_group_visit(group_visit_id=visit.pk, reason="prov", by=clinic.desk.by)
    services.book(**clinic.wish())


def test_once_somebody_is_here_it_is_not_called_off(clinic: Clinic, group: VisitType) -> None:
    visit = plan(clinic)
    here = place(clinic)
    place(clinic, clinic.ned_record)
    services.arrive(appointment_id=here.pk, by=clinic.pia.by)
    with pytest.raises(UnderWay):
        services.cancel_group_visit(group_visit_id=visit.pk, reason="prov", by=clinic.desk.by)
    assert {each.status for each in Appointment.objects.all()} == {"arrived", "booked"}


def test_a_place_does_not_move(clinic: Clinic, group: VisitType) -> None:
    plan(clinic)
    with pytest.raises(InAGroup):
        services.reschedule(appointment_id=place(clinic).pk, starts_at=clinic.start(120), by=clinic.desk.by)


@pytest.mark.django_db(transaction=True)
def test_the_last_places_go_to_as_many_as_there_are(clinic: Clinic, group: VisitType) -> None:
    visit = plan(clinic)
    wishes = [partial(place, clinic, patient) for patient in crowd(9)]
    assert Counter(at_once(wishes)) == {"ok": 3, "group_visit_full": 6}
    rivals = [partial(place, clinic, patient) for patient in (clinic.pia_record, clinic.ned_record)]
    off = partial(services.cancel_group_visit, group_visit_id=visit.pk, reason="prov", by=clinic.desk.by)
    leave = [partial(services.cancel, appointment_id=each.pk, reason="pat", by=clinic.desk.by) for each in Appointment.objects.all()]
    outcomes = at_once([off, *leave, *rivals])
    assert outcomes[0] == "ok"
    assert set(outcomes[1:4]) <= {"ok", "appointment_status"}
    assert set(outcomes[4:]) <= {"ok", "group_visit_full", "not_planned"}
    assert not Appointment.objects.exclude(status="cancelled").exists()
    assert overlaps() == 0


def test_by_rest_the_desk_plans_and_everybody_sees_the_places(clinic: Clinic, group: VisitType, client_for: ClientFor) -> None:
    desk, app = client_for(clinic.desk), client_for(clinic.pia)
    asked = {"practitioner": str(clinic.dr_cho.pk), "visit_type": "group", "starts_at": clinic.start().isoformat()}
    assert app.post(GROUPS, asked).status_code == 404
    made = desk.post(GROUPS, asked)
    assert (made.status_code, body(made)["places_left"]) == (201, 3)
    booked = app.post("/api/v1/appointments/", asked | {"patient": str(clinic.pia_record.pk)})
    assert (booked.status_code, body(booked)["group_visit"]) == (201, body(made)["id"])
    window = {"from": clinic.start().isoformat(), "visit_type": "group"}
    assert [each["places_left"] for each in body(app.get(GROUPS, window))["results"]] == [2]
    assert body(app.get(GROUPS, {"to": clinic.start().isoformat()}))["results"] == []
    path = f"{GROUPS}{body(made)['id']}/"
    assert body(app.get(path))["places_left"] == 2
    assert app.post(f"{path}cancel/", {"reason": "prov"}).status_code == 404
    off = desk.post(f"{path}cancel/", {"reason": "prov"})
    assert (off.status_code, body(off)["is_cancelled"], body(off)["places_left"]) == (200, True, 3)
    again = desk.post(f"{path}cancel/", {"reason": "prov"})
    assert (again.status_code, body(again)["code"]) == (409, "group_visit_cancelled")
