"""No-show is said by the clock when the patient did not come, and never when the provider was the one who was late."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from audit.ledger import Act, Actor
from consults import services, tasks
from consults.models import Participant, Visit
from scheduling.models import Appointment, Occupancy
from telehealth.accounts.models import Session
from telehealth.core import now
from telehealth.outbox.models import Message
from tests.cast import Cast, id_of
from tests.consults.stage import Stage, appoint
from tests.people import Acts

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@transaction.atomic
def begun(stage: Stage, minutes: float) -> datetime:
    """Move the appointment to have begun so long ago."""
    start = now() - minutes * MINUTE
    Appointment.objects.filter(pk=stage.appointment.pk).update(starts_at=start, ends_at=start + 30 * MINUTE)
    Occupancy.objects.filter(appointment=stage.appointment).update(during=(start, start + 30 * MINUTE))
    return start


def signed_in(by: Actor, since: datetime, **values: Any) -> Session:
    given = {"account_id": id_of(by), "kind": "browser", "started_at": since, "seen_at": now(), **values}
    return Session.objects.create(**given)


def status(stage: Stage) -> str:
    tasks.sweep()
    return Appointment.objects.get(pk=stage.appointment.pk).status


def test_who_did_not_come_is_a_no_show_after_the_grace(stage: Stage, cast: Cast, acts: Acts) -> None:
    signed_in(cast.dr_cho, begun(stage, 14))
    assert status(stage) == "booked"
    start = begun(stage, 16)
    Session.objects.all().update(started_at=start)
    assert status(stage) == "noshow"
    assert acts()[-1] == Act.APPOINTMENT_NO_SHOW
    told = Message.objects.filter(kind="appointment_missed", object_id=stage.appointment.pk)
    assert {message.person_id for message in told} == {cast.pia.id}
    assert status(stage) == "noshow" and told.count() == len(set(told.values_list("destination")))


def test_what_is_left_of_the_time_is_free(stage: Stage, cast: Cast) -> None:
    signed_in(cast.dr_cho, begun(stage, 16))
    assert status(stage) == "noshow"
    assert not Occupancy.objects.filter(appointment=stage.appointment, live=True, during__contains=now() + MINUTE).exists()


@pytest.mark.parametrize("joined", [4.0, 6.0])
def test_a_provider_who_joined_late_makes_nobody_a_no_show(stage: Stage, cast: Cast, joined: float) -> None:
    visit = stage.opened()
    Visit.objects.filter(pk=visit.pk).update(waiting="abandoned")  # opened, and gone before checking in
    start = begun(stage, 20)
    place = Participant.objects.filter(visit=visit, account_id=cast.dr_cho.id)
    place.update(joined_at=start + joined * MINUTE, left_at=now())
    assert status(stage) == ("noshow" if joined < 5 else "booked")
    assert Visit.objects.get(pk=visit.pk).status == ("cancelled" if joined < 5 else "planned")


@pytest.mark.parametrize(
    ("since", "values", "there"),
    [
        (-30, {}, True),
        (4, {}, True),
        (6, {}, False),
        (-30, {"seen": -2}, False),
        (-30, {"ended": -2}, False),
        (-30, {"ended": 3}, True),
    ],
)
def test_a_provider_who_was_not_signed_in_then_was_late(
    stage: Stage, cast: Cast, since: float, values: dict[str, float], there: bool
) -> None:
    start = begun(stage, 20)
    seen = start + values.get("seen", 10) * MINUTE
    ended = {"ended_at": start + values["ended"] * MINUTE, "reason": "signed_out"} if "ended" in values else {}
    signed_in(cast.dr_cho, start + since * MINUTE, seen_at=seen, **ended)
    assert (status(stage) == "noshow") is there


def test_nobody_signed_in_at_all_is_no_evidence(stage: Stage, cast: Cast) -> None:
    signed_in(cast.dr_dee, begun(stage, 20))
    assert status(stage) == "booked"


@pytest.mark.parametrize(("left", "there"), [(None, False), (8.0, False), (4.0, True)])
def test_while_an_earlier_visit_ran_on_the_next_patient_is_no_no_show(stage: Stage, cast: Cast, left: float | None, there: bool) -> None:
    start = begun(stage, 20)
    signed_in(cast.dr_cho, start - 30 * MINUTE)
    before = appoint(cast.ned_record, cast.cho, -60 * MINUTE)
    earlier = Visit.objects.create(appointment=before, patient=cast.ned_record, practitioner=cast.cho)
    times = {"started_at": start - 20 * MINUTE, "last_left_at": start + left * MINUTE if left else None}
    went = {"waiting": "left", "location": {"state": "MA"}} if left else {"waiting": "in-call", "location": {"state": "MA"}}
    for name, value in {**times, **went, "status": "in-progress"}.items():
        setattr(earlier, name, value)
    earlier.save()
    Appointment.objects.filter(pk=earlier.appointment_id).update(status="arrived")
    assert (status(stage) == "noshow") is there


def test_who_is_checking_in_or_has_is_here(stage: Stage, cast: Cast) -> None:
    visit = stage.opened()
    signed_in(cast.dr_cho, begun(stage, 20))
    assert status(stage) == "booked"
    stage.ready()
    assert status(stage) == "arrived"
    assert not services.miss(appointment_id=stage.appointment.pk)
    Visit.objects.filter(pk=visit.pk).update(waiting="abandoned")  # came, waited, and gave up
    assert status(stage) == "arrived"


def test_nobody_but_the_clock_asks(stage: Stage, cast: Cast) -> None:
    signed_in(cast.dr_cho, begun(stage, 20))
    assert not services.miss(appointment_id=stage.appointment.pk, by=cast.dr_cho)
    assert services.miss(appointment_id=stage.appointment.pk)


def test_what_was_long_ago_is_left_to_people(stage: Stage, cast: Cast) -> None:
    signed_in(cast.dr_cho, begun(stage, 25 * 60))
    assert status(stage) == "booked"
