"""Bookings, holds, moves and ends in any order, against a model that knows nothing of the database or the slot arithmetic."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from audit.ledger import SYSTEM
from scheduling import selectors, services
from scheduling.errors import OutsideHours, PatientBusy, SlotTaken, StartMisaligned
from scheduling.models import Appointment, Availability, Occupancy, VisitType
from scheduling.spans import moment
from telehealth.core import now
from tests.scheduling.conftest import ZONE, Clinic

NEW_YORK = ZoneInfo(ZONE)
FIRST, LAST = 9, 14  # local hours that the test plays in
DEE = (time(10), time(12, 30))  # when Dr Dee is there; Dr Cho always is
Span = tuple[datetime, datetime]


@dataclass
class Booked:
    pk: UUID
    patient: UUID
    provider: UUID
    visit: Span
    taken: Span
    held: bool = False


class Diary(RuleBasedStateMachine):
    """What each party's paper diary would say."""

    clinic: Clinic

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.savepoint()
        self.kept: list[Booked] = []
        tomorrow = (now() + timedelta(days=1)).astimezone(NEW_YORK)
        self.day = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.point)

    def at(self, minutes: int) -> datetime:
        return self.day.replace(hour=FIRST) + timedelta(minutes=minutes)

    def spans(self, kind: VisitType, start: datetime) -> tuple[Span, Span]:
        end = start + timedelta(minutes=kind.minutes)
        return (start, end), (start - timedelta(minutes=kind.buffer_before), end + timedelta(minutes=kind.buffer_after))

    def there(self, provider: UUID, visit: Span) -> bool:
        if provider == self.clinic.dr_cho.pk:
            return True
        return DEE[0] <= visit[0].time() and visit[1].time() <= DEE[1]

    def verdict(self, patient: UUID, provider: UUID, kind: VisitType, start: datetime) -> type[Exception] | None:
        visit, taken = self.spans(kind, start)
        if not self.there(provider, visit):
            return OutsideHours
        begin = self.day.replace(hour=10) if provider != self.clinic.dr_cho.pk else self.day
        if (start - begin) % timedelta(minutes=kind.step_minutes):
            return StartMisaligned
        if any(clash(visit, each.visit) for each in self.kept if each.patient == patient):
            return PatientBusy
        if any(clash(taken, each.taken) for each in self.kept if each.provider == provider):
            return SlotTaken
        return None

    @rule(
        who=st.sampled_from(["pia_record", "ned_record"]),
        whom=st.sampled_from(["dr_cho", "dr_dee"]),
        what=st.sampled_from(["quick", "long"]),
        minutes=st.integers(0, 36).map(lambda n: n * 5),
        held=st.booleans(),
    )
    def book(self, who: str, whom: str, what: str, minutes: int, held: bool) -> None:
        patient, provider, kind = getattr(self.clinic, who).pk, getattr(self.clinic, whom).pk, getattr(self.clinic, what)
        start = self.at(minutes + 40)
        expected = self.verdict(patient, provider, kind, start)
        try:
            wish = {"patient_id": patient, "practitioner_id": provider, "visit_type": kind.code, "starts_at": start}
            made = services.hold(**wish, until=start, by=SYSTEM) if held else services.book(**wish, by=self.clinic.desk.by)
        except (OutsideHours, StartMisaligned, PatientBusy, SlotTaken) as error:
            assert type(error) is expected
        else:
            assert expected is None
            self.kept.append(Booked(made.pk, patient, provider, *self.spans(kind, start), held))

    @precondition(lambda self: any(each.held for each in self.kept))
    @rule(data=st.data(), how=st.sampled_from(["confirm", "release", "run out"]))
    def settle(self, data: st.DataObject, how: str) -> None:
        one = data.draw(st.sampled_from([each for each in self.kept if each.held]))
        if how == "confirm":
            one.held = services.confirm(appointment_id=one.pk, by=self.clinic.desk.by).status != "booked"
            return
        self.kept.remove(one)
        if how == "release":
            services.release_hold(appointment_id=one.pk, by=self.clinic.desk.by)
        else:  # nobody sweeps it: whoever wants the time does
            Occupancy.objects.filter(appointment_id=one.pk).update(held_until=now() - timedelta(seconds=1))

    @precondition(lambda self: any(not each.held for each in self.kept))
    @rule(data=st.data(), minutes=st.integers(0, 36).map(lambda n: n * 5))
    def move(self, data: st.DataObject, minutes: int) -> None:
        one = data.draw(st.sampled_from([each for each in self.kept if not each.held]))
        kind = Appointment.objects.get(pk=one.pk).visit_type
        start = self.at(minutes + 40)
        self.kept.remove(one)
        expected = self.verdict(one.patient, one.provider, kind, start)
        try:
            services.reschedule(appointment_id=one.pk, starts_at=start, by=self.clinic.desk.by)
        except (OutsideHours, StartMisaligned, PatientBusy, SlotTaken) as error:
            assert type(error) is expected
        else:
            assert expected is None
            one.visit, one.taken = self.spans(kind, start)
        self.kept.append(one)

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), how=st.sampled_from(["cancel", "fulfil", "no-show"]))
    def end(self, data: st.DataObject, how: str) -> None:
        gone = self.kept.pop(data.draw(st.integers(0, len(self.kept) - 1)))
        if how == "cancel" or gone.held:
            services.cancel(appointment_id=gone.pk, reason="pat", by=self.clinic.desk.by)
        elif how == "no-show":
            services.mark_no_show(appointment_id=gone.pk, by=SYSTEM)
        else:
            services.arrive(appointment_id=gone.pk, by=self.clinic.desk.by)
            services.fulfil(appointment_id=gone.pk, by=self.clinic.desk.by)

    @invariant()
    def the_tables_say_what_the_diaries_say(self) -> None:
        held = {(row.party, row.during.lower, row.during.upper) for row in Occupancy.objects.filter(standing(), live=True)}
        visits = {(each.patient, *each.visit) for each in self.kept}
        assert held == visits | {(each.provider, *each.taken) for each in self.kept}

    @invariant()
    def offered_is_what_can_be_booked_and_nothing_else(self) -> None:
        for kind in (self.clinic.quick, self.clinic.long):
            found = selectors.slots(
                self.clinic.desk.by,
                visit_type=kind.code,
                since=self.at(0),
                until=self.day.replace(hour=LAST),
                patient_id=self.clinic.pia_record.pk,
                zone=NEW_YORK,
                limit=1000,
            )
            offered = {(moment(start), UUID(int=provider)) for start, provider in found.offers}
            starts = (self.at(minutes) for minutes in range(0, (LAST - FIRST) * 60, 5))
            pairs = {(start, provider.pk) for start in starts for provider in (self.clinic.dr_cho, self.clinic.dr_dee)}
            assert offered == {pair for pair in pairs if self.verdict(self.clinic.pia_record.pk, pair[1], kind, pair[0]) is None}


def standing() -> Q:
    """Not held, or held still."""
    return Q(held_until=None) | Q(held_until__gt=now())


def clash(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def test_no_overlap_and_no_offer_that_cannot_be_booked(clinic: Clinic) -> None:
    services.close_hours(availability_id=Availability.objects.get(practitioner=clinic.dr_dee).pk, by=SYSTEM)
    services.open_hours(practitioner_id=clinic.dr_dee.pk, rrule="FREQ=DAILY", starts=DEE[0], ends=DEE[1], timezone=ZONE, by=SYSTEM)

    class Machine(Diary):
        pass

    Machine.clinic = clinic
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    limits = settings(max_examples=10, stateful_step_count=12, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Machine, settings=limits)  # type: ignore[no-untyped-call]
