"""What booking and cancelling promise, through the services."""

from datetime import timedelta

import pytest

from audit.ledger import SYSTEM, Act
from scheduling import services
from scheduling.errors import (
    BeyondHorizon,
    OutsideHours,
    PatientBusy,
    PatientDeceased,
    SlotTaken,
    StartMisaligned,
    StepNotAllowed,
    TooSoon,
    UnderWay,
    UnknownPractitioner,
    UnknownVisitType,
)
from scheduling.models import Appointment, Availability, Occupancy
from scheduling.statuses import STEPS, Status, may_step
from telehealth.core import now
from telehealth.core.errors import Missing, Refused
from telehealth.outbox.models import Message
from telehealth.records.models import CareRelationship, Practitioner, ProxyGrant
from tests.people import Acts, MakeAccount
from tests.scheduling.conftest import Clinic


def test_the_second_booking_of_a_slot_is_turned_away(clinic: Clinic, acts: Acts) -> None:
    first = services.book(**clinic.wish())
    with pytest.raises(SlotTaken):
        services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})
    assert list(Appointment.objects.all()) == [first]
    assert acts() == [Act.APPOINTMENT_BOOKED, Act.CARE_BEGUN]


def test_a_patient_is_not_in_two_visits_at_once(clinic: Clinic) -> None:
    services.book(**clinic.wish())
    with pytest.raises(PatientBusy):
        services.book(**clinic.wish() | {"practitioner_id": clinic.dr_dee.pk})


def test_the_providers_buffers_are_kept_free_and_the_patients_time_is_not(clinic: Clinic) -> None:
    services.book(**clinic.wish(15, visit_type="video-30"))  # :15 to :45, Cho taken :10 to :55
    elsewhere = {"patient_id": clinic.ned_record.pk}
    for minute in (10, 50):
        with pytest.raises(SlotTaken):
            services.book(**clinic.wish(minute) | elsewhere)
    services.book(**clinic.wish(0) | elsewhere)
    services.book(**clinic.wish(50) | {"practitioner_id": clinic.dr_dee.pk})


def test_booking_begins_care_and_tells_the_patient(clinic: Clinic) -> None:
    made = services.book(**clinic.wish())
    care = CareRelationship.objects.get(patient=clinic.pia_record)
    assert (care.practitioner_id, care.source_id) == (clinic.dr_cho.pk, made.pk)
    assert care.ends_at is not None and care.ends_at > made.ends_at
    told = Message.objects.filter(kind="appointment_booked", object_id=made.pk)
    assert {message.person_id for message in told} == {clinic.pia.id}


def test_what_the_visit_is_about_is_sealed(clinic: Clinic) -> None:
    made = services.book(**clinic.wish(), reason="A rash that nobody should read")
    assert Appointment.objects.get(pk=made.pk).reason == "A rash that nobody should read"
    stored = bytes(Appointment.objects.filter(pk=made.pk).values_list("reason", flat=True)[0].raw)
    assert b"rash" not in stored


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"starts_at": timedelta(days=-2)}, TooSoon),
        ({"starts_at": timedelta(days=-1, minutes=-3)}, TooSoon),
        ({"starts_at": timedelta(days=61)}, BeyondHorizon),
        ({"starts_at": timedelta(minutes=5)}, StartMisaligned),
        ({"starts_at": timedelta(seconds=1)}, StartMisaligned),
        ({"starts_at": timedelta(microseconds=1)}, StartMisaligned),
        ({"visit_type": "brain-surgery"}, UnknownVisitType),
        ({"practitioner_id": "patient"}, UnknownPractitioner),
        ({"patient_id": "practitioner"}, Missing),
    ],
)
def test_what_cannot_be_meant_is_refused(clinic: Clinic, change: dict[str, object], error: type[Exception]) -> None:
    wish = clinic.wish()
    ids = {"patient": clinic.pia_record.pk, "practitioner": clinic.dr_cho.pk}
    for name, value in change.items():
        wish[name] = clinic.start() + value if isinstance(value, timedelta) else ids.get(str(value), value)
    with pytest.raises(error):
        services.book(**wish)
    assert not Occupancy.objects.exists()


def test_lead_time_counts(clinic: Clinic) -> None:
    soon = now().replace(minute=0, second=0, microsecond=0)
    starts = next(at for at in (soon + timedelta(minutes=15 * n) for n in range(9)) if at > now() + timedelta(minutes=10))
    with pytest.raises(TooSoon):
        services.book(**clinic.wish(visit_type="video-30") | {"starts_at": starts})


def test_nobody_is_booked_who_is_not_there(clinic: Clinic) -> None:
    for hours in Availability.objects.filter(practitioner=clinic.dr_cho):
        services.close_hours(availability_id=hours.pk, by=SYSTEM)
    with pytest.raises(OutsideHours):
        services.book(**clinic.wish())
    historical = Practitioner.objects.create(family="Elsewhere")
    with pytest.raises(UnknownPractitioner):
        services.book(**clinic.wish() | {"practitioner_id": historical.pk})


def test_the_dead_are_not_booked(clinic: Clinic) -> None:
    clinic.pia_record.is_deceased = True
    clinic.pia_record.save(update_fields=["is_deceased"])
    with pytest.raises(PatientDeceased):
        services.book(**clinic.wish())


def test_who_may_book_for_whom(clinic: Clinic, make_account: MakeAccount) -> None:
    gus, biller = make_account("proxy"), make_account("biller")
    ProxyGrant.objects.create(patient=clinic.pia_record, proxy=gus.id, relationship="guardian", starts_at=now() - timedelta(days=1))
    for n, person in enumerate((clinic.pia, gus, clinic.desk)):
        services.book(**clinic.wish(10 * n, by=person.by))
    services.book(**clinic.wish(30, by=clinic.cho.by))  # has her in care by now
    for person in (clinic.ned, biller):
        with pytest.raises(Missing):
            services.book(**clinic.wish(40, by=person.by))
    assert Appointment.objects.count() == 4


def test_an_overbooking_is_a_staff_act_that_names_who_and_why(clinic: Clinic, acts: Acts) -> None:
    services.book(**clinic.wish())
    over = services.Overbooking("urgent", "Chest pain, cannot wait")
    squeezed = {"patient_id": clinic.ned_record.pk, "overbooking": over}
    with pytest.raises(Refused):
        services.book(**clinic.wish(by=clinic.ned.by) | squeezed)
    made = Appointment.objects.get(pk=services.book(**clinic.wish() | squeezed).pk)
    assert (made.overbooked_by, made.overbooked_code, made.overbooked_reason) == (clinic.desk.id, "urgent", over.reason)
    assert [row.party for row in made.occupancies.all()] == [clinic.ned_record.pk]
    assert Act.APPOINTMENT_OVERBOOKED in acts()
    with pytest.raises(PatientBusy):  # the patient's own time is never overbooked
        services.book(**clinic.wish() | squeezed)


def test_cancelling_frees_the_time_ends_care_and_tells(clinic: Clinic, acts: Acts) -> None:
    made = services.book(**clinic.wish())
    services.cancel(appointment_id=made.pk, reason="pat", by=clinic.pia.by)
    again = services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})
    assert Appointment.objects.get(pk=made.pk).cancelled_reason == "pat"
    assert not CareRelationship.objects.filter(patient=clinic.pia_record, ends_at__gt=now()).exists()
    assert Message.objects.filter(kind="appointment_cancelled", object_id=made.pk, person_id=clinic.pia.id).exists()
    assert acts()[2:4] == [Act.CARE_ENDED, Act.APPOINTMENT_CANCELLED]
    with pytest.raises(StepNotAllowed):
        services.cancel(appointment_id=made.pk, reason="pat", by=clinic.desk.by)
    with pytest.raises(Missing):
        services.cancel(appointment_id=again.pk, reason="pat", by=clinic.pia.by)


def test_once_the_patient_is_here_only_the_visit_calls_it_off(clinic: Clinic) -> None:
    made = services.book(**clinic.wish())
    services.arrive(appointment_id=made.pk, by=clinic.pia.by)
    assert services.arrive(appointment_id=made.pk, by=clinic.pia.by).version == 2
    with pytest.raises(UnderWay):
        services.cancel(appointment_id=made.pk, reason="pat", by=clinic.pia.by)
    services.cancel(appointment_id=made.pk, reason="prov", by=clinic.cho.by, from_visit=True)
    assert not Occupancy.objects.filter(live=True).exists()


def test_a_visit_that_is_over_gives_back_what_is_left_of_its_time(clinic: Clinic) -> None:
    made = services.book(**clinic.wish())
    with pytest.raises(StepNotAllowed):
        services.fulfil(appointment_id=made.pk, by=clinic.cho.by)
    services.arrive(appointment_id=made.pk, by=clinic.pia.by)
    with pytest.raises(Refused):
        services.fulfil(appointment_id=made.pk, by=clinic.pia.by)
    services.fulfil(appointment_id=made.pk, by=clinic.cho.by)
    assert not Occupancy.objects.filter(live=True).exists()  # it was over before its time had come
    services.book(**clinic.wish())


def test_a_no_show_is_said_by_the_clock(clinic: Clinic, acts: Acts) -> None:
    made = services.book(**clinic.wish())
    assert services.mark_no_show(appointment_id=made.pk, by=SYSTEM).status == Status.NO_SHOW
    assert acts()[-1] == Act.APPOINTMENT_NO_SHOW
    assert CareRelationship.objects.filter(patient=clinic.pia_record, ends_at__gt=now()).exists()


def test_nothing_leaves_an_end() -> None:
    open_ended = {Status.PENDING, Status.BOOKED, Status.ARRIVED}
    assert {status for status in Status if any(may_step(status, after) for after in Status)} == open_ended
    assert set(STEPS) == open_ended
    assert not any(may_step(status, status) for status in Status)
