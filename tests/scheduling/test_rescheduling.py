"""Moving an appointment: the old time is given up only for the new one."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from audit.ledger import SYSTEM, Act
from scheduling import services
from scheduling.errors import PatientBusy, SlotTaken, StartMisaligned, StepNotAllowed, TooLateToCancel, UnderWay
from scheduling.models import Appointment, LateCancel
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from telehealth.records.models import CareRelationship
from tests.people import Acts, ClientFor, body
from tests.scheduling.conftest import Clinic
from tests.scheduling.test_no_double_booking import at_once, overlaps

APPOINTMENTS = "/api/v1/appointments/"


def held_by(appointment: Appointment) -> set[tuple[UUID, Any]]:
    return {(row.party, row.during.lower) for row in appointment.occupancies.filter(live=True)}


def in_care(clinic: Clinic) -> set[UUID]:
    return set(CareRelationship.objects.filter(patient=clinic.pia_record, ends_at__gt=now()).values_list("practitioner_id", flat=True))


def test_it_is_the_same_appointment_at_another_time(clinic: Clinic, acts: Acts) -> None:
    made = services.book(**clinic.wish(), reason="A cough")
    services.reschedule(appointment_id=made.pk, starts_at=clinic.start(30), by=clinic.pia.by)
    moved = Appointment.objects.get()
    assert (moved.pk, moved.starts_at, moved.ends_at, moved.reason) == (made.pk, clinic.start(30), clinic.start(40), "A cough")
    assert (moved.status, moved.version, moved.sequence) == ("booked", 2, 1)
    assert held_by(moved) == {(clinic.pia_record.pk, clinic.start(30)), (clinic.dr_cho.pk, clinic.start(30))}
    assert {each.person_id for each in Message.objects.filter(kind="appointment_changed", object_id=made.pk)} == {clinic.pia.id}
    assert Act.APPOINTMENT_RESCHEDULED in acts()
    services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})


def test_into_its_own_time_it_moves_too(clinic: Clinic) -> None:
    made = services.book(**clinic.wish(visit_type="video-30"))
    services.reschedule(appointment_id=made.pk, starts_at=clinic.start(15), by=clinic.desk.by)
    assert overlaps() == 0


def test_care_follows_to_the_other_provider(clinic: Clinic) -> None:
    made = services.book(**clinic.wish())
    assert in_care(clinic) == {clinic.dr_cho.pk}
    moved = services.reschedule(appointment_id=made.pk, starts_at=clinic.start(), practitioner_id=clinic.dr_dee.pk, by=clinic.desk.by)
    assert in_care(clinic) == {clinic.dr_dee.pk}
    assert held_by(moved) == {(clinic.pia_record.pk, clinic.start()), (clinic.dr_dee.pk, clinic.start())}
    services.reschedule(appointment_id=made.pk, starts_at=clinic.start(), practitioner_id=clinic.dr_cho.pk, by=clinic.desk.by)
    assert in_care(clinic) == {clinic.dr_cho.pk}


def test_care_lasts_with_the_new_time(clinic: Clinic) -> None:
    made = services.book(**clinic.wish())
    later = services.reschedule(appointment_id=made.pk, starts_at=clinic.start() + timedelta(days=20), by=clinic.desk.by)
    care = CareRelationship.objects.get(source_id=made.pk)
    assert care.ends_at is not None
    assert care.ends_at > later.ends_at


def test_refused_it_stays_where_it_was(clinic: Clinic) -> None:
    made = services.book(**clinic.wish())
    services.book(**clinic.wish(20) | {"patient_id": clinic.ned_record.pk})
    services.book(**clinic.wish(40) | {"practitioner_id": clinic.dr_dee.pk})
    for minutes, error in ((20, SlotTaken), (40, PatientBusy), (5, StartMisaligned)):
        with pytest.raises(error):
            services.reschedule(appointment_id=made.pk, starts_at=clinic.start(minutes), by=clinic.pia.by)
    same = Appointment.objects.get(pk=made.pk)
    assert (same.version, same.starts_at, in_care(clinic)) == (1, clinic.start(), {clinic.dr_cho.pk, clinic.dr_dee.pk})
    assert held_by(same) == {(clinic.pia_record.pk, clinic.start()), (clinic.dr_cho.pk, clinic.start())}
    assert not Message.objects.filter(kind="appointment_changed").exists()


def test_what_is_held_here_or_over_does_not_move(clinic: Clinic) -> None:
    held = services.hold(**clinic.wish(), until=now() + timedelta(minutes=5))
    gone, here = services.book(**clinic.wish(10)), services.book(**clinic.wish(20))
    services.cancel(appointment_id=gone.pk, reason="pat", by=clinic.desk.by)
    services.arrive(appointment_id=here.pk, by=clinic.pia.by)
    for made, error in ((held, StepNotAllowed), (gone, StepNotAllowed), (here, UnderWay)):
        with pytest.raises(error):
            services.reschedule(appointment_id=made.pk, starts_at=clinic.start(50), by=clinic.desk.by)
    with pytest.raises(Missing):
        services.reschedule(appointment_id=here.pk, starts_at=clinic.start(50), by=clinic.ned.by)


def test_a_late_move_is_a_late_cancellation(clinic: Clinic) -> None:
    changes = {"cancel_notice_minutes": 3 * 24 * 60, "late_cancel": LateCancel.REFUSE}
    services.change_visit_type(visit_type_id=clinic.quick.pk, changes=changes, by=SYSTEM)
    made = services.book(**clinic.wish())
    with pytest.raises(TooLateToCancel):
        services.reschedule(appointment_id=made.pk, starts_at=clinic.start(30), by=clinic.pia.by)
    assert services.reschedule(appointment_id=made.pk, starts_at=clinic.start(30), by=clinic.desk.by).version == 2


def test_an_overbooking_that_moves_takes_the_providers_time(clinic: Clinic) -> None:
    services.book(**clinic.wish())
    squeezed = {"patient_id": clinic.ned_record.pk, "overbooking": services.Overbooking("urgent", "Cannot wait")}
    made = services.book(**clinic.wish() | squeezed)
    moved = services.reschedule(appointment_id=made.pk, starts_at=clinic.start(30), by=clinic.desk.by)
    assert not Appointment.objects.get(pk=moved.pk).is_overbooked
    assert clinic.dr_cho.pk in {party for party, _ in held_by(moved)}


def test_by_rest_it_needs_the_version_that_was_read(clinic: Clinic, client_for: ClientFor) -> None:
    app = client_for(clinic.pia)
    made = services.book(**clinic.wish())
    path, asked = f"{APPOINTMENTS}{made.pk}/reschedule/", {"starts_at": clinic.start(30).isoformat()}
    without = app.post(path, asked)
    stale = app.post(path, asked, headers={"If-Match": '"7"'})
    moved = app.post(path, asked, headers={"If-Match": app.get(f"{APPOINTMENTS}{made.pk}/")["ETag"]})
    again = app.post(path, asked, headers={"If-Match": '"1"'})
    assert [reply.status_code for reply in (without, stale, moved, again)] == [428, 412, 200, 412]
    assert (body(moved)["version"], moved["ETag"], body(moved)["starts_at"]) == (2, '"2"', asked["starts_at"].replace("+00:00", "Z"))
    odd = app.post(path, {"starts_at": clinic.start(35).isoformat()}, headers={"If-Match": '"2"'})
    assert (odd.status_code, body(odd)["code"]) == (400, "start_misaligned")


@pytest.mark.django_db(transaction=True)
def test_two_who_want_each_others_time_neither_deadlock_nor_lose(clinic: Clinic) -> None:
    pias = services.book(**clinic.wish())
    neds = services.book(**clinic.wish(10) | {"patient_id": clinic.ned_record.pk})
    move = partial(services.reschedule, by=clinic.desk.by)
    swap = [
        partial(move, appointment_id=pias.pk, starts_at=clinic.start(10)),
        partial(move, appointment_id=neds.pk, starts_at=clinic.start()),
    ]
    assert at_once(swap * 4) == ["slot_taken"] * 8
    assert [each.starts_at for each in Appointment.objects.order_by("starts_at")] == [clinic.start(), clinic.start(10)]
    to_dee = partial(move, starts_at=clinic.start(20), practitioner_id=clinic.dr_dee.pk)
    moves = [partial(to_dee, appointment_id=pk) for pk in (pias.pk, neds.pk)]
    assert sorted(at_once(moves)) == ["ok", "slot_taken"]
    assert overlaps() == 0


@pytest.mark.django_db(transaction=True)
def test_moving_to_and_fro_while_cancelling_leaves_whole_appointments(clinic: Clinic) -> None:
    made = services.book(**clinic.wish())
    change = partial(services.reschedule, appointment_id=made.pk, by=clinic.desk.by)
    doctors = (clinic.dr_cho.pk, clinic.dr_dee.pk)
    moves = [partial(change, starts_at=clinic.start(10 * n), practitioner_id=doctors[n % 2]) for n in range(1, 6)]
    outcomes = at_once([*moves, lambda: services.cancel(appointment_id=made.pk, reason="pat", by=clinic.desk.by)])
    assert set(outcomes) <= {"ok", "appointment_status"}
    assert outcomes[-1] == "ok"
    assert held_by(Appointment.objects.get(pk=made.pk)) == set()
    assert in_care(clinic) == set()
