"""The waiting list: a start that is free is offered to one at a time, in order, until somebody takes it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.ledger import SYSTEM, Act
from scheduling import services, tasks
from scheduling.errors import AlreadyWaiting, HoldExpired, NotWaiting, OfferOver, PatientDeceased, StateUnknown, WindowOdd
from scheduling.models import Appointment, Occupancy, WaitlistEntry, WaitlistOffer
from scheduling.services.chain import expiry
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from telehealth.records.models import License
from tests.people import Acts, MakeAccount
from tests.scheduling.conftest import Clinic
from tests.scheduling.waiters import Waiters, offers, open_offer, run_out

MINUTE = timedelta(minutes=1)


@pytest.fixture
def waiters(clinic: Clinic, make_account: MakeAccount) -> Waiters:
    return Waiters(clinic, make_account)


def status(entry: WaitlistEntry) -> str:
    return WaitlistEntry.objects.get(pk=entry.pk).status


def test_a_freed_time_is_held_for_the_first_who_waits_and_booked_when_they_take_it(waiters: Waiters, acts: Acts) -> None:
    clinic = waiters.clinic
    taken = services.book(**clinic.wish() | {"practitioner_id": waiters.few.pk, "starts_at": waiters.at()})
    first, second = waiters.join(clinic.ned_record), waiters.join(waiters.patient("Sec"))
    tasks.offer_freed()
    assert not WaitlistOffer.objects.exists()
    services.cancel(appointment_id=taken.pk, reason="pat", by=clinic.pia.by)
    offer = open_offer()
    assert (offer.entry_id, offer.starts_at, offer.appointment.status) == (first.pk, waiters.at(), "pending")
    assert (status(first), status(second)) == ("offered", "waiting")
    told = Message.objects.filter(kind="waitlist_offer", object_id=offer.pk)
    assert {message.person_id for message in told} == {clinic.ned.id}
    services.accept_offer(offer_id=offer.pk, by=clinic.ned.by)
    services.accept_offer(offer_id=offer.pk, by=clinic.ned.by)
    assert (status(first), Appointment.objects.get(pk=offer.appointment_id).status) == ("booked", "booked")
    assert [act for act in acts() if act.startswith("waitlist.")] == [
        Act.WAITLIST_JOINED,
        Act.WAITLIST_JOINED,
        Act.WAITLIST_OFFERED,
        Act.WAITLIST_ANSWERED,
    ]
    tasks.offer_freed()
    assert WaitlistOffer.objects.count() == 1
    with pytest.raises(OfferOver):
        services.decline_offer(offer_id=offer.pk, by=clinic.ned.by)


@pytest.mark.parametrize("how", ["declined", "expired"])
def test_what_one_does_not_take_goes_to_the_next_and_never_to_the_same_again(waiters: Waiters, how: str) -> None:
    entries = [waiters.join(waiters.patient(name)) for name in "ABC"]
    for entry in entries:
        offer = open_offer()
        assert offer.entry_id == entry.pk
        if how == "declined":
            services.decline_offer(offer_id=offer.pk, by=waiters.clinic.desk.by)
        else:
            run_out(offer)
    tasks.offer_freed()
    assert [each.state for each in offers()] == [how] * 3
    assert {status(entry) for entry in entries} == {"waiting"}
    assert not Occupancy.objects.filter(party=waiters.few.pk, live=True).exists()


def test_the_most_urgent_come_first_then_who_came_first(waiters: Waiters) -> None:
    people = [waiters.patient(name) for name in "ABC"]
    entries = [waiters.join(who, urgency=urgency) for who, urgency in zip(people, (2, 1, 1), strict=True)]
    order = []
    for _ in entries:
        offer = open_offer()
        order.append(offer.entry_id)
        services.decline_offer(offer_id=offer.pk, by=waiters.clinic.desk.by)
    assert order == [entries[1].pk, entries[2].pk, entries[0].pk]


def test_what_becomes_free_while_somebody_else_is_looked_at_is_theirs_who_came_first(waiters: Waiters) -> None:
    """The pass was past the first when the time came free; the second does not get it all the same."""
    first, second = waiters.join(waiters.patient("A")), waiters.join(waiters.patient("B"))
    services.offer_next(entry_id=second.pk)
    assert [offer.entry_id for offer in offers()] == [first.pk]


@pytest.mark.parametrize(
    ("wish", "fits"),
    [
        ({}, True),
        ({"practitioner_id": None}, True),
        ({"parts_of_day": ["morning", "evening"]}, True),
        ({"parts_of_day": ["afternoon"]}, False),
        ({"parts_of_day": ["morning"], "timezone": "Asia/Tokyo"}, False),  # evening there
        ({"latest": 0}, False),
        ({"latest": 1}, True),
        ({"earliest": 0}, True),
        ({"earliest": 1}, False),
    ],
)
def test_only_what_fits_is_offered(waiters: Waiters, wish: dict[str, Any], fits: bool) -> None:
    for name in ("latest", "earliest"):
        if name in wish:
            wish = {**wish, name: waiters.at() + wish[name] * MINUTE}
    if "practitioner_id" in wish:  # nobody else is there
        Occupancy.objects.all().delete()
        for hours in [*waiters.clinic.dr_cho.availability.all(), *waiters.clinic.dr_dee.availability.all()]:
            services.close_hours(availability_id=hours.pk, by=SYSTEM)
    waiters.join(waiters.clinic.ned_record, **wish)
    tasks.offer_freed()
    assert [offer.starts_at for offer in offers()] == [waiters.at()] * fits


def test_nobody_is_offered_what_clashes_or_where_nobody_may_practise(waiters: Waiters) -> None:
    clinic = waiters.clinic
    services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk, "practitioner_id": clinic.dr_dee.pk, "starts_at": waiters.at()})
    waiters.join(clinic.ned_record)
    away = waiters.join(waiters.patient("A"), state="NV")
    tasks.offer_freed()
    assert not WaitlistOffer.objects.exists()
    License.objects.create(practitioner=waiters.few, state="NV", valid_from=now().date())
    assert open_offer().entry_id == away.pk


def test_a_limit_is_shorter_when_the_start_is_near(waiters: Waiters) -> None:
    waiters.join(waiters.clinic.ned_record)
    offer = open_offer()
    assert timedelta(minutes=29) < offer.expires_at - now() <= timedelta(minutes=30)
    assert {row.held_until for row in offer.appointment.occupancies.all()} == {offer.expires_at}
    assert timedelta(minutes=9) < expiry(now() + timedelta(minutes=20)) - now() <= timedelta(minutes=10)


def test_too_late_is_too_late(waiters: Waiters) -> None:
    entry = waiters.join(waiters.clinic.ned_record)
    offer = open_offer()
    run_out(offer)
    with pytest.raises(HoldExpired):
        services.accept_offer(offer_id=offer.pk, by=waiters.clinic.ned.by)
    tasks.offer_freed()
    with pytest.raises(OfferOver):
        services.accept_offer(offer_id=offer.pk, by=waiters.clinic.ned.by)
    assert status(entry) == "waiting"


def test_a_held_time_confirmed_as_any_other_is_an_offer_taken(waiters: Waiters) -> None:
    entry = waiters.join(waiters.clinic.ned_record)
    services.confirm(appointment_id=open_offer().appointment_id, by=waiters.clinic.ned.by)
    tasks.offer_freed()
    assert status(entry) == "booked"
    assert [offer.state for offer in offers()] == ["accepted"]


def test_who_leaves_lets_the_time_go_to_the_next(waiters: Waiters) -> None:
    first, second = waiters.join(waiters.clinic.ned_record), waiters.join(waiters.patient("B"))
    open_offer()
    services.leave_waitlist(entry_id=first.pk, by=waiters.clinic.ned.by)
    services.leave_waitlist(entry_id=first.pk, by=waiters.clinic.ned.by)
    offer = open_offer()
    assert (offer.entry_id, status(first)) == (second.pk, "withdrawn")
    services.accept_offer(offer_id=offer.pk, by=waiters.clinic.desk.by)
    with pytest.raises(NotWaiting):
        services.leave_waitlist(entry_id=second.pk, by=waiters.clinic.desk.by)
    waiters.join(waiters.clinic.ned_record)  # and again


def test_who_waited_in_vain_waits_no_longer(waiters: Waiters) -> None:
    entry = waiters.join(waiters.clinic.ned_record, latest=waiters.at())
    WaitlistEntry.objects.filter(pk=entry.pk).update(earliest=now() - 2 * MINUTE, latest=now() - MINUTE)
    tasks.offer_freed()
    assert status(entry) == "expired"


def test_a_wish_that_cannot_be_meant_is_refused(waiters: Waiters) -> None:
    clinic = waiters.clinic
    waiters.join(clinic.ned_record)
    with pytest.raises(AlreadyWaiting):
        waiters.join(clinic.ned_record)
    waiters.join(clinic.ned_record, practitioner_id=None)
    with pytest.raises(AlreadyWaiting):
        waiters.join(clinic.ned_record, practitioner_id=None)
    for wrong in ({"latest": now() - MINUTE}, {"latest": waiters.at(), "earliest": waiters.at()}):
        with pytest.raises(WindowOdd):
            waiters.join(clinic.pia_record, **wrong)
    with pytest.raises(StateUnknown):
        waiters.join(clinic.pia_record, state="Narnia")
    clinic.pia_record.is_deceased = True
    clinic.pia_record.save(update_fields=["is_deceased"])
    with pytest.raises(PatientDeceased):
        waiters.join(clinic.pia_record)


def test_neighbours_neither_join_nor_leave_nor_answer_for_somebody(waiters: Waiters) -> None:
    clinic = waiters.clinic
    entry = waiters.join(clinic.ned_record)
    offer = open_offer()
    for attempt in (
        lambda: services.leave_waitlist(entry_id=entry.pk, by=clinic.pia.by),
        lambda: services.accept_offer(offer_id=offer.pk, by=clinic.pia.by),
        lambda: services.decline_offer(offer_id=offer.pk, by=clinic.pia.by),
        lambda: services.join_waitlist(patient_id=clinic.ned_record.pk, visit_type="video-10", latest=waiters.at(), by=clinic.pia.by),
    ):
        with pytest.raises(Missing):
            attempt()
    assert open_offer() == offer


def test_the_database_lets_nobody_wait_or_be_offered_twice(waiters: Waiters) -> None:
    entry = waiters.join(waiters.clinic.ned_record)
    offer, other = open_offer(), services.book(**waiters.clinic.wish())
    same = {"entry": entry, "appointment": other, "practitioner": waiters.few, "expires_at": now()}
    again = {"patient": entry.patient, "visit_type": entry.visit_type, "practitioner": waiters.few, "timezone": "UTC"}
    answered = {"state": "declined", "answered_at": now()}
    attempts: list[tuple[str, Any, dict[str, Any]]] = [
        ("waitlist_once_at_a_time", WaitlistEntry, {**again, "earliest": now(), "latest": waiters.at()}),
        ("waitlist_one_open_offer_per_entry", WaitlistOffer, {**same, "starts_at": waiters.at(1)}),
        (
            "waitlist_no_start_offered_twice",
            WaitlistOffer,
            {**same, "starts_at": offer.starts_at, **answered},
        ),
    ]
    for name, model, values in attempts:
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            model.objects.create(**values)


def test_how_urgent_it_is_staff_say(waiters: Waiters) -> None:
    wish = {"visit_type": "video-10", "latest": waiters.at(), "urgency": 0}
    mine = services.join_waitlist(patient_id=waiters.clinic.ned_record.pk, by=waiters.clinic.ned.by, **wish)
    theirs = services.join_waitlist(patient_id=waiters.clinic.pia_record.pk, by=waiters.clinic.desk.by, **wish)
    assert (mine.urgency, theirs.urgency) == (2, 0)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_chain_reaches_everybody_it_fits_and_loses_nobody(clinic: Clinic, make_account: MakeAccount, data: st.DataObject) -> None:
    house = Waiters(clinic, make_account, starts=2)
    people = [house.patient(f"{house.few.pk}{name}") for name in "ABC"]
    wanted = [data.draw(st.sampled_from([(0, 2), (0, 1), (1, 2)])) for _ in people]
    urgencies = [data.draw(st.integers(0, 2)) for _ in people]
    entries = [
        house.join(who, urgency=urgency, earliest=house.at(begin), latest=house.at(end))
        for who, urgency, (begin, end) in zip(people, urgencies, wanted, strict=True)
    ]
    for _ in range(12):
        tasks.offer_freed()
        standing = list(offers(entry__in=entries, state="open"))
        assert len({offer.starts_at for offer in standing}) == len(standing), "one person at a time for one start"
        assert len({offer.entry_id for offer in standing}) == len(standing), "one start at a time for one person"
        if not standing:
            break
        offer = data.draw(st.sampled_from(standing))
        if data.draw(st.booleans()):
            services.decline_offer(offer_id=offer.pk, by=clinic.desk.by)
        else:
            run_out(offer)
    reached = {(offer.entry_id, offer.starts_at) for offer in offers(entry__in=entries)}
    due = {(entry.pk, house.at(n)) for entry, (begin, end) in zip(entries, wanted, strict=True) for n in range(begin, end)}
    assert reached == due, "each start reaches everybody whom it fits, once"
    assert WaitlistOffer.objects.filter(entry__in=entries).count() == len(due)
    assert {status(entry) for entry in entries} == {"waiting"}, "nobody is lost"
    alone = [n for n in range(2) if all(begin <= n < end and end - begin == 1 for begin, end in wanted)]
    in_order = sorted(entries, key=lambda each: (each.urgency, each.created_at, each.pk))
    for n in alone:
        assert [offer.entry_id for offer in offers(entry__in=entries, starts_at=house.at(n))] == [each.pk for each in in_order]


@pytest.mark.parametrize("how", ["called off", "confirmed"])
def test_who_leaves_before_anybody_looked_what_became_of_the_held_time(waiters: Waiters, how: str) -> None:
    clinic = waiters.clinic
    entry = waiters.join(clinic.ned_record)
    held = open_offer().appointment_id
    if how == "called off":
        services.cancel(appointment_id=held, reason="pat", by=clinic.ned.by)
        assert services.leave_waitlist(entry_id=entry.pk, by=clinic.ned.by).status == "withdrawn"
    else:
        services.confirm(appointment_id=held, by=clinic.ned.by)
        with pytest.raises(NotWaiting):
            services.leave_waitlist(entry_id=entry.pk, by=clinic.ned.by)
        assert Appointment.objects.get(pk=held).status == "booked"
