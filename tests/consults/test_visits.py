"""A visit from the appointment to its end: who may do what, and what cannot happen."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from audit.ledger import Act, Actor, flush, unit
from consults import selectors, services
from consults.errors import (
    CheckInNotOpen,
    ConsentRequired,
    IdentityNotConfirmed,
    LocationRequired,
    NoteNotSigned,
    NotInThisState,
    NotLicensedThere,
    PatientDeceased,
    VisitEnded,
)
from consults.models import Participant, Visit
from scheduling.models import Appointment
from telehealth.core import now
from telehealth.core.errors import Missing, Refused
from telehealth.records.models import CareRelationship, License, LicenseException
from tests.cast import Cast
from tests.consults.stage import CHECK_IN, Stage, appoint
from tests.people import Acts

pytestmark = pytest.mark.django_db


def test_a_whole_visit(stage: Stage, cast: Cast, acts: Acts) -> None:
    visit = stage.in_call()
    assert (stage.visit.waiting, stage.visit.status) == ("in-call", "in-progress")
    assert stage.visit.started_at is not None
    for by in (cast.pia, cast.dr_cho):
        services.leave(visit_id=visit.pk, by=by)
    assert (stage.visit.waiting, stage.visit.status) == ("left", "in-progress")
    stage.signed_note()
    done = services.complete(visit_id=visit.pk, by=cast.dr_cho)
    assert done.status == "finished" and done.ended_at and done.signal_key == ""
    assert Appointment.objects.get(pk=stage.appointment.pk).status == "fulfilled"
    assert [act for act in acts() if act.startswith(("visit.", "note."))] == [
        Act.VISIT_OPENED,
        Act.VISIT_CHECKED_IN,
        Act.VISIT_ADMITTED,
        Act.VISIT_JOINED,
        Act.VISIT_CONNECTED,
        Act.VISIT_JOINED,
        Act.VISIT_CONNECTED,
        Act.VISIT_LEFT,
        Act.VISIT_LEFT,
        Act.NOTE_DRAFTED,
        Act.NOTE_SIGNED,
        Act.VISIT_COMPLETED,
    ]


@pytest.mark.parametrize("who", ["pia", "gus", "nan", "desk"])
def test_who_opens_a_visit(stage: Stage, cast: Cast, who: str) -> None:
    if who == "nan":
        nurse_cares(stage, cast)
    assert stage.opened(getattr(cast, who)).waiting == "checking-in"


def nurse_cares(stage: Stage, cast: Cast) -> None:
    """A nurse's care is any practitioner's; the appointment has begun one."""
    assert CareRelationship.objects.filter(patient=cast.pia_record).exists()


@pytest.mark.parametrize("who", ["ned", "dr_cho", "dr_dee", "biller", "privacy", "admin"])
def test_who_does_not(stage: Stage, cast: Cast, who: str) -> None:
    with pytest.raises(Missing):
        stage.opened(getattr(cast, who))
    assert not Visit.objects.exists()


def test_opening_again_is_the_same_visit(stage: Stage, cast: Cast) -> None:
    assert stage.opened().pk == stage.opened(cast.gus).pk
    assert set(stage.visit.participants.values_list("role", flat=True)) == {"provider", "patient"}


@pytest.mark.parametrize("starts_in", [timedelta(days=2), timedelta(hours=-13)])
def test_check_in_has_its_time(cast: Cast, starts_in: timedelta) -> None:
    appointment = appoint(cast.pia_record, cast.cho, starts_in)
    appointment.visit_type.checkin_opens_minutes = 60
    appointment.visit_type.save()
    with pytest.raises(CheckInNotOpen):
        services.open_visit(appointment_id=appointment.pk, by=cast.pia)


def test_nobody_checks_in_for_the_dead(stage: Stage, cast: Cast) -> None:
    cast.pia_record.is_deceased = True
    cast.pia_record.save(update_fields=["is_deceased"])
    with pytest.raises(PatientDeceased):
        stage.opened(cast.desk)


def test_a_cancelled_appointment_has_no_visit(stage: Stage) -> None:
    cancel(stage.appointment)
    with pytest.raises(NotInThisState):
        stage.opened()


def cancel(appointment: Appointment) -> None:
    with transaction.atomic():
        appointment.occupancies.update(live=False)
        Appointment.objects.filter(pk=appointment.pk).update(status="cancelled", cancelled_reason="pat")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"location": {**CHECK_IN["location"], "line": "  "}}, LocationRequired),
        ({"location": {"city": "Quincy", "state": "MA", "postal_code": "02169"}}, LocationRequired),
        ({"identity": {"method": "photo-id", "confirmed": False}}, IdentityNotConfirmed),
        ({"consents": []}, ConsentRequired),
        ({"consents": [{"code": "telehealth", "version": "0"}]}, ConsentRequired),
        ({"location": {**CHECK_IN["location"], "state": "NV"}}, NotLicensedThere),
    ],
)
def test_no_visit_without_address_identity_consent_and_licence(stage: Stage, cast: Cast, change: dict[str, Any], error: Any) -> None:
    visit = stage.opened()
    with pytest.raises(error):
        services.check_in(visit_id=visit.pk, **{**CHECK_IN, **change}, by=cast.pia)
    assert stage.visit.waiting == "checking-in" and stage.visit.location is None


def test_a_licence_that_ended_since_check_in_lets_nobody_in_and_a_call_goes_on(stage: Stage, cast: Cast, acts: Acts) -> None:
    held, visit = License.objects.filter(practitioner=cast.cho), stage.ready()
    held.update(valid_to=now().date() - timedelta(days=1))
    with pytest.raises(NotLicensedThere):
        services.admit(visit_id=visit.pk, by=cast.dr_cho)
    assert stage.visit.waiting == "ready" and acts()[-1] == Act.REFUSED
    held.update(valid_to=None)
    services.admit(visit_id=visit.pk, by=cast.dr_cho)
    for by in (cast.dr_cho, cast.pia):
        stage.connect(by)
    held.update(valid_to=now().date() - timedelta(days=1))
    services.admit(visit_id=visit.pk, by=cast.dr_cho)  # somebody more comes in
    assert stage.visit.waiting == "in-call"


def test_an_exception_of_the_law_lets_them_in(stage: Stage, cast: Cast) -> None:
    License.objects.filter(practitioner=cast.cho).delete()
    LicenseException.objects.create(state="MA", basis="emergency-waiver", valid_from=now().date())
    stage.ready()
    assert services.admit(visit_id=stage.id, by=cast.dr_cho).waiting == "admitted"


def test_an_expired_licence_is_none(stage: Stage, cast: Cast, acts: Acts) -> None:
    License.objects.filter(practitioner=cast.cho).update(valid_to=now().date() - timedelta(days=1))
    with pytest.raises(NotLicensedThere):
        stage.ready()
    flush()
    assert Act.REFUSED in acts()


def test_what_was_said_at_check_in_is_kept_with_its_time(stage: Stage, cast: Cast) -> None:
    stage.ready()
    visit = stage.visit
    assert visit.location == CHECK_IN["location"] and visit.callback == CHECK_IN["callback"]
    assert visit.identity["by"] == str(cast.pia.id) and visit.consents[0]["at"]


@pytest.mark.parametrize("who", ["pia", "ned", "gus", "dr_dee", "nan", "desk", "admin"])
def test_only_the_visits_provider_conducts_it(stage: Stage, cast: Cast, who: str) -> None:
    CareRelationship.objects.create(
        patient=cast.pia_record, practitioner=cast.dee, source="assignment", source_id=cast.dee.pk, starts_at=now()
    )
    visit = stage.ready()
    for step in (services.admit, services.hold, services.remove, services.complete):
        with pytest.raises(Missing):
            step(visit_id=visit.pk, by=getattr(cast, who))
    assert stage.visit.waiting == "ready"


def test_hold_and_readmit_in_a_call(stage: Stage, cast: Cast) -> None:
    visit = stage.in_call()
    services.hold(visit_id=visit.pk, by=cast.dr_cho)
    assert (stage.visit.waiting, stage.visit.status) == ("held", "onleave")
    assert not selectors.rights_of(visit.pk)[1][1:], "only the provider is left inside"
    services.admit(visit_id=visit.pk, by=cast.dr_cho)
    stage.connect(cast.pia)
    assert (stage.visit.waiting, stage.visit.status) == ("in-call", "in-progress")


def test_a_removed_patient_has_no_seat(stage: Stage, cast: Cast) -> None:
    visit = stage.in_call()
    services.remove(visit_id=visit.pk, by=cast.dr_cho)
    assert (stage.visit.waiting, stage.visit.status) == ("removed", "in-progress")
    with pytest.raises(Refused):
        services.take_seat(visit_id=visit.pk, by=cast.pia)


def test_completing_needs_a_note_signed_by_the_provider(stage: Stage, cast: Cast) -> None:
    visit = stage.in_call()
    services.draft(visit_id=visit.pk, parts={"plan": "rest"}, by=cast.dr_cho)
    with pytest.raises(NoteNotSigned):
        services.complete(visit_id=visit.pk, by=cast.dr_cho)


def test_nothing_happens_in_a_visit_that_has_ended(stage: Stage, cast: Cast) -> None:
    visit = stage.in_call()
    stage.signed_note()
    services.complete(visit_id=visit.pk, by=cast.dr_cho)
    with pytest.raises(VisitEnded):
        stage.opened()
    with pytest.raises(VisitEnded):
        services.take_seat(visit_id=visit.pk, by=cast.pia)
    with pytest.raises(VisitEnded):
        services.issue_ticket(visit_id=visit.pk, by=cast.pia)
    with pytest.raises(NotInThisState):
        services.admit(visit_id=visit.pk, by=cast.dr_cho)


def test_a_late_guardian_waits_until_admitted_again(stage: Stage, cast: Cast) -> None:
    visit = stage.in_call()
    standing, _ = services.take_seat(visit_id=visit.pk, by=cast.gus)
    assert (standing.role, standing.admitted) == ("proxy", False)
    services.admit(visit_id=visit.pk, by=cast.dr_cho)
    assert selectors.standing_of(standing.member).admitted and stage.visit.waiting == "in-call"


def test_leaving_the_waiting_room_and_coming_back(stage: Stage, cast: Cast) -> None:
    visit = stage.ready()
    assert services.leave(visit_id=visit.pk, by=cast.pia).waiting == "abandoned"
    assert stage.opened().pk == visit.pk
    services.check_in(visit_id=visit.pk, **CHECK_IN, by=cast.pia)
    assert stage.visit.waiting == "ready"


def test_a_patient_sees_a_place_in_the_queue_and_nothing_of_the_others(stage: Stage, cast: Cast) -> None:
    first = services.open_visit(appointment_id=appoint(cast.ned_record, cast.cho, timedelta(minutes=30)).pk, by=cast.ned)
    first = services.check_in(visit_id=first.pk, **CHECK_IN, by=cast.ned)
    mine = stage.ready()
    assert (selectors.position_of(first), selectors.position_of(mine)) == (1, 2)
    assert list(selectors.visits_for(cast.pia)) == [mine]
    assert list(selectors.waiting_room_for(cast.pia)) == []


def test_whose_queue(stage: Stage, cast: Cast) -> None:
    visit = stage.ready()
    for who in ("dr_cho", "nan", "desk"):
        assert list(selectors.waiting_room_for(getattr(cast, who))) == [visit], who
    for who in ("dr_dee", "ned", "biller", "privacy", "admin"):
        assert list(selectors.waiting_room_for(getattr(cast, who))) == [], who


def test_the_clock_notices_who_gave_up_and_what_was_cancelled(stage: Stage, cast: Cast) -> None:
    visit = stage.ready()
    assert services.abandon_silent(visit_id=visit.pk) is False
    Visit.objects.filter(pk=visit.pk).update(changed_at=now() - timedelta(minutes=11))
    assert services.abandon_silent(visit_id=visit.pk) is True
    assert stage.visit.waiting == "abandoned"
    cancel(stage.appointment)
    assert services.follow_appointments(visit_id=visit.pk) is True
    assert (stage.visit.status, stage.visit.waiting) == ("cancelled", "abandoned") and stage.visit.ended_at


def test_the_clock_ends_a_call_whose_processes_died(stage: Stage, cast: Cast) -> None:
    visit = stage.in_call()
    Participant.objects.update(joined_at=now() - timedelta(minutes=2))
    services.part_silent(visit_id=visit.pk)
    assert stage.visit.waiting == "left" and not any(p.connected for p in stage.visit.participants.all())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("visit_status_is_known", {"status": "arrived!"}),
        ("visit_waiting_is_known", {"waiting": "gone"}),
        ("visit_ready_says_where_the_patient_is", {"waiting": "ready"}),
        ("visit_ended_has_its_time", {"status": "finished"}),
    ],
)
def test_the_database_refuses_what_no_step_makes(stage: Stage, name: str, change: dict[str, str]) -> None:
    visit = stage.opened() if name == "visit_ready_says_where_the_patient_is" else stage.ready()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Visit.objects.filter(pk=visit.pk).update(**change)


def test_one_place_per_person(stage: Stage, cast: Cast) -> None:
    visit = stage.opened()
    with pytest.raises(IntegrityError, match="participant_once_per_visit"), transaction.atomic():
        Participant.objects.create(visit=visit, account_id=cast.pia.id, role="patient")


def test_a_ticket_is_good_once_here_and_for_this_person(stage: Stage, cast: Cast) -> None:
    visit = stage.ready()
    ticket = services.issue_ticket(visit_id=visit.pk, by=replace(cast.pia, client="app", scopes=frozenset({"patient"})))
    assert len(ticket.value) >= 43
    holder, _ = services.redeem_ticket(value=ticket.value, visit_id=visit.pk, by=cast.system)
    assert (holder.id, holder.client, holder.scopes) == (cast.pia.id, "app", frozenset({"patient"}))


@pytest.mark.django_db(transaction=True)
def test_two_devices_opening_at_once_open_one_visit(stage: Stage, cast: Cast) -> None:
    def opening(by: Actor) -> UUID:
        with unit(by, channel="REST"):
            try:
                return services.open_visit(appointment_id=stage.appointment.pk, by=by).pk
            finally:
                connection.close()

    with ThreadPoolExecutor(4) as pool:
        opened = set(pool.map(opening, [cast.pia, cast.gus, cast.desk, cast.pia]))
    assert opened == {stage.id}
    assert Visit.objects.count() == 1


def test_a_provider_of_another_visit_does_not_consent_in_the_patients_name(stage: Stage, cast: Cast) -> None:
    appoint(cast.pia_record, cast.dee, timedelta(hours=1))  # dr_dee may see the record, and has no part in this visit
    visit = stage.opened()
    with pytest.raises(Missing):
        services.check_in(visit_id=visit.pk, **CHECK_IN, by=cast.dr_dee)
    assert stage.visit.waiting == "checking-in" and stage.visit.consents is None


@pytest.mark.parametrize("who", ["gus", "nan", "dr_cho"])
def test_who_checks_in_for_the_patient(stage: Stage, cast: Cast, who: str) -> None:
    visit = stage.opened()
    assert services.check_in(visit_id=visit.pk, **CHECK_IN, by=getattr(cast, who)).waiting == "ready"
