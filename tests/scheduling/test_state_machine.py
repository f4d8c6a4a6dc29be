"""Holds, bookings, moves, ends and crashes in any order, in several zones and over their jumps, against a model that knows nothing
of the database or the slot arithmetic. After every step offers, occupancies, ledger and outbox say what the diaries say."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from audit.ledger import SYSTEM, flush
from audit.ledger.models import Entry
from scheduling import selectors, services
from scheduling.errors import HoldExpired, OutsideHours, PatientBusy, SlotTaken, StartMisaligned, TooManyHolds
from scheduling.models import Appointment, Availability, Occupancy, VisitType
from scheduling.services.holding import AT_ONCE
from scheduling.spans import moment
from telehealth.core import now
from telehealth.outbox.models import Message
from tests.scheduling.conftest import Clinic
from tests.scheduling.oracle import jumps, shown

HOURS = 6  # from local midnight: clocks jump within
DEE = (time(1), time(3, 30))  # when Dr Dee is there, by the zone's clocks; Dr Cho always is
ZONES = ["America/New_York", "Australia/Lord_Howe", "Europe/London", "America/Phoenix"]
FIVE = timedelta(minutes=5)
NO = (OutsideHours, StartMisaligned, PatientBusy, SlotTaken, TooManyHolds)
Span = tuple[datetime, datetime]

people = st.sampled_from(["pia_record", "ned_record"])
doctors = st.sampled_from(["dr_cho", "dr_dee"])
whats = st.sampled_from(["quick", "long"])
whens = st.integers(0, HOURS * 12 - 12)


class Crash(Exception):
    """The process ends before it commits."""


@dataclass
class Kept:
    pk: UUID
    patient: UUID
    provider: UUID
    kind: VisitType
    visit: Span
    taken: Span
    held: bool = False


class Diary(RuleBasedStateMachine):
    """What each party's paper diary would say."""

    clinic: Clinic

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.savepoint()
        self.kept: list[Kept] = []
        self.ran_out: list[Kept] = []
        self.acts: defaultdict[UUID, list[str]] = defaultdict(list)
        self.said: defaultdict[UUID, list[str]] = defaultdict(list)

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.point)

    @initialize(name=st.sampled_from(ZONES), nth=st.integers(0, 1))
    def somewhere(self, name: str, nth: int) -> None:
        """On the day of a jump where there is one; Dr Dee keeps hours by that zone's clocks."""
        days = jumps(name, now() + timedelta(days=2), 370)
        day = days[nth] if days else (now() + timedelta(days=30)).date()
        self.begin = shown(day, time.min, name)
        self.hours = shown(day, DEE[0], name), shown(day, DEE[1], name)
        dee = self.clinic.dr_dee.pk
        services.close_hours(availability_id=Availability.objects.get(practitioner_id=dee).pk, by=SYSTEM)
        services.open_hours(practitioner_id=dee, rrule="FREQ=DAILY", starts=DEE[0], ends=DEE[1], timezone=name, by=SYSTEM)

    def wish(self, who: str, whom: str, what: str, when: int) -> Kept:
        patient, provider, kind = getattr(self.clinic, who).pk, getattr(self.clinic, whom).pk, getattr(self.clinic, what)
        return Kept(UUID(int=0), patient, provider, kind, *self.spans(kind, self.begin + when * FIVE))

    def spans(self, kind: VisitType, start: datetime) -> tuple[Span, Span]:
        end = start + timedelta(minutes=kind.minutes)
        return (start, end), (start - timedelta(minutes=kind.buffer_before), end + timedelta(minutes=kind.buffer_after))

    def verdict(self, wish: Kept, besides: Kept | None = None) -> type[Exception] | None:
        others, (start, end) = [each for each in self.kept if each is not besides], wish.visit
        everywhere = wish.provider == self.clinic.dr_cho.pk
        if not everywhere and not (self.hours[0] <= start and end <= self.hours[1]):
            return OutsideHours
        opened = datetime(2026, 1, 1, tzinfo=UTC) if everywhere else self.hours[0]
        if (start - opened) % timedelta(minutes=wish.kind.step_minutes):
            return StartMisaligned
        if any(clash(wish.visit, each.visit) for each in others if each.patient == wish.patient):
            return PatientBusy
        if any(clash(wish.taken, each.taken) for each in others if each.provider == wish.provider):
            return SlotTaken
        return None

    def tried(self, act: Callable[[], Appointment], expected: type[Exception] | None, crashes: bool) -> Appointment | None:
        """What it made, unless it was refused, as it should be, or its process died at the end of it."""
        try:
            with transaction.atomic():
                made = act()
                assert expected is None
                if crashes:
                    raise Crash
        except NO as error:
            assert type(error) is expected
        except Crash:
            pass
        else:
            return made
        return None

    def asked(self, wish: Kept) -> dict[str, Any]:
        asked = {"patient_id": wish.patient, "practitioner_id": wish.provider, "visit_type": wish.kind.code}
        return {**asked, "starts_at": wish.visit[0], "by": self.clinic.desk.by}

    def happened(self, pk: UUID, *acts: str, said: str = "") -> None:
        self.acts[pk] += [f"appointment.{act}" for act in acts]
        self.said[pk] += [f"appointment_{said}"] if said else []

    @rule(who=people, whom=doctors, what=whats, when=whens, crashes=st.sampled_from([False, False, False, True]))
    def book(self, who: str, whom: str, what: str, when: int, crashes: bool) -> None:
        wish = self.wish(who, whom, what, when)
        if made := self.tried(lambda: services.book(**self.asked(wish)), self.verdict(wish), crashes):
            wish.pk = made.pk
            self.kept.append(wish)
            self.happened(made.pk, "booked", said="booked")

    @rule(who=people, whom=doctors, what=whats, when=whens, crashes=st.sampled_from([False, False, False, True]))
    def hold(self, who: str, whom: str, what: str, when: int, crashes: bool) -> None:
        wish = self.wish(who, whom, what, when)
        holds = sum(each.held for each in self.kept if each.patient == wish.patient)
        expected = self.verdict(wish) or (TooManyHolds if holds >= AT_ONCE else None)
        until = now() + timedelta(minutes=10)
        if made := self.tried(lambda: services.hold(**self.asked(wish), until=until), expected, crashes):
            wish.pk, wish.held = made.pk, True
            self.kept.append(wish)
            self.happened(made.pk, "held")

    @precondition(lambda self: any(each.held for each in self.kept))
    @rule(data=st.data(), how=st.sampled_from(["confirm", "confirm", "crash", "release", "run out", "run out and sweep"]))
    def end_a_hold(self, data: st.DataObject, how: str) -> None:
        held = data.draw(st.sampled_from([each for each in self.kept if each.held]))
        answer = {"appointment_id": held.pk, "by": self.clinic.desk.by}
        if how in ("confirm", "crash"):
            if self.tried(lambda: services.confirm(**answer), None, how == "crash"):
                held.held = False
                self.happened(held.pk, "confirmed", "booked", said="booked")
            return
        self.kept.remove(held)
        if how == "release":
            services.release_hold(**answer)
            self.happened(held.pk, "hold_released")
            return
        Occupancy.objects.filter(appointment_id=held.pk).update(held_until=now() - timedelta(seconds=1))
        self.ran_out.append(held)
        if how == "run out and sweep":
            services.sweep_holds()
        try:
            services.confirm(**answer)
        except HoldExpired:
            return
        raise AssertionError("a hold that ran out was confirmed")

    @precondition(lambda self: any(not each.held for each in self.kept))
    @rule(data=st.data(), whom=doctors, when=whens, crashes=st.sampled_from([False, False, False, True]))
    def move(self, data: st.DataObject, whom: str, when: int, crashes: bool) -> None:
        old = data.draw(st.sampled_from([each for each in self.kept if not each.held]))
        start, provider = self.begin + when * FIVE, getattr(self.clinic, whom).pk
        new = Kept(old.pk, old.patient, provider, old.kind, *self.spans(old.kind, start))
        asked = {"appointment_id": old.pk, "starts_at": start, "practitioner_id": provider, "by": self.clinic.desk.by}
        if self.tried(lambda: services.reschedule(**asked), self.verdict(new, besides=old), crashes):
            self.kept[self.kept.index(old)] = new
            self.happened(old.pk, "rescheduled", said="changed")

    @precondition(lambda self: any(not each.held for each in self.kept))
    @rule(data=st.data(), how=st.sampled_from(["cancel", "fulfil", "no-show", "crash"]))
    def end(self, data: st.DataObject, how: str) -> None:
        gone = data.draw(st.sampled_from([each for each in self.kept if not each.held]))
        if how in ("cancel", "crash"):
            asked = {"appointment_id": gone.pk, "reason": "pat", "by": self.clinic.desk.by}
            if self.tried(lambda: services.cancel(**asked), None, how == "crash") is None:
                return
            self.happened(gone.pk, "cancelled", said="cancelled")
        elif how == "no-show":
            services.mark_no_show(appointment_id=gone.pk, by=SYSTEM)
            self.happened(gone.pk, "no_show", said="missed")
        else:
            services.arrive(appointment_id=gone.pk, by=self.clinic.desk.by)
            services.fulfil(appointment_id=gone.pk, by=self.clinic.desk.by)
            self.happened(gone.pk, "arrived", "fulfilled")
        self.kept.remove(gone)

    @invariant()
    def the_tables_say_what_the_diaries_say(self) -> None:
        counts = Q(held_until=None) | Q(held_until__gt=now())
        held = {(row.party, row.during.lower, row.during.upper) for row in Occupancy.objects.filter(counts, live=True)}
        visits = {(each.patient, *each.visit) for each in self.kept}
        assert held == visits | {(each.provider, *each.taken) for each in self.kept}

    @invariant()
    def ledger_and_outbox_say_what_happened(self) -> None:
        flush()
        swept = {each.pk for each in self.ran_out if Appointment.objects.get(pk=each.pk).status == "cancelled"}
        known = set(Appointment.objects.values_list("pk", flat=True))
        assert known == set(self.acts)
        for pk in known:
            acts = Entry.objects.filter(object_pk=str(pk), act__startswith="appointment.").order_by("id")
            expected = self.acts[pk] + (["appointment.hold_released"] if pk in swept else [])
            assert list(acts.values_list("act", flat=True)) == expected
            told = Message.objects.filter(object_id=pk, destination="email").order_by("position")
            assert list(told.values_list("kind", flat=True)) == self.said[pk]

    @invariant()
    def offered_is_what_can_be_booked_and_nothing_else(self) -> None:
        for what in ("quick", "long"):
            wishes = [self.wish("pia_record", whom, what, when) for whom in ("dr_cho", "dr_dee") for when in range(HOURS * 12)]
            found = selectors.slots(
                self.clinic.desk.by,
                visit_type=wishes[0].kind.code,
                since=self.begin,
                until=self.begin + timedelta(hours=HOURS),
                patient_id=self.clinic.pia_record.pk,
                zone=ZoneInfo("UTC"),
                limit=1000,
            )
            offered = {(moment(start), UUID(int=provider)) for start, provider in found.offers}
            assert offered == {(each.visit[0], each.provider) for each in wishes if self.verdict(each) is None}


def clash(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def test_no_overlap_no_offer_that_cannot_be_booked_and_nothing_untold(clinic: Clinic) -> None:
    for kind in (clinic.quick, clinic.long):
        services.change_visit_type(visit_type_id=kind.pk, changes={"horizon_days": 400}, by=SYSTEM)
    for doctor in (clinic.dr_cho, clinic.dr_dee):
        services.expand(practitioner_id=doctor.pk, by=SYSTEM)

    class Machine(Diary):
        pass

    Machine.clinic = clinic
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    limits = settings(max_examples=10, stateful_step_count=14, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Machine, settings=limits)  # type: ignore[no-untyped-call]
