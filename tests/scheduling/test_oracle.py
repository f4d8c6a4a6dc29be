"""Random rules, exceptions, zones and bookings: search offers what the oracle finds, and booking takes that and nothing else."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.ledger import SYSTEM, uuid7
from scheduling import selectors, services
from scheduling.errors import OutsideHours, PatientBusy, SlotTaken, StartMisaligned
from scheduling.models import VisitType
from scheduling.spans import moment
from telehealth.core import now
from telehealth.records.models import License, Practitioner
from tests.scheduling.conftest import Clinic
from tests.scheduling.oracle import STEP, Rule, Stretch, Week, clock, jumps

ZONES = ["America/New_York", "America/Phoenix", "Australia/Lord_Howe", "Asia/Kolkata", "Europe/London", "America/St_Johns", "Africa/Cairo"]
NAMES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
NO = (OutsideHours, StartMisaligned, SlotTaken, PatientBusy)
LIMITS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
}

times = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
lengths = st.sampled_from([10, 15, 20, 30, 45, 50, 60])


@st.composite
def weeks(draw: st.DrawFn) -> Week:
    """Three days, around a jump of the clock if the zone has any."""
    zone = draw(st.sampled_from(ZONES))
    today = now()
    odd = jumps(zone, today + timedelta(days=5), 370)
    some_day = st.integers(5, 300).map(lambda n: (today + timedelta(days=n)).date())
    centre = draw(st.sampled_from(odd) if odd and draw(st.integers(0, 3)) else some_day)
    begin = datetime.combine(centre - timedelta(days=1), time.min, UTC)
    week = Week(begin, begin + timedelta(days=3))
    week.rules = [draw(rules(zone if n else draw(st.sampled_from(ZONES)), centre)) for n in range(draw(st.integers(1, 3)))]
    week.stretches = [draw(stretches(zone, centre)) for _ in range(draw(st.integers(0, 2)))]
    for spans in (week.away, week.engaged):
        for _ in range(draw(st.integers(0, 1))):
            at = begin + draw(st.integers(0, 800)) * STEP
            spans.append((at, at + draw(st.integers(1, 40)) * STEP))
    return week


@st.composite
def rules(draw: st.DrawFn, zone: str, centre: date) -> Rule:
    counted = draw(st.booleans())
    anchor = centre - timedelta(days=draw(st.integers(0, 45)) if counted else 60)
    how = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY;DAY", "MONTHLY;NTH", "MONTHLY;LAST"]))
    if how == "DAILY":
        rule = "FREQ=DAILY"
    elif how == "WEEKLY":
        others = draw(st.sets(st.sampled_from(NAMES)))
        rule = f"FREQ=WEEKLY;BYDAY={','.join(sorted({NAMES[anchor.weekday()], *others}, key=NAMES.index))}"
    elif how == "MONTHLY;DAY":
        others = draw(st.sets(st.sampled_from([centre.day, 1, 15, 31, -1])))
        rule = f"FREQ=MONTHLY;BYMONTHDAY={','.join(map(str, sorted({anchor.day, *others})))}"
    elif how == "MONTHLY;NTH":
        rule = f"FREQ=MONTHLY;BYDAY={(anchor.day - 1) // 7 + 1}{NAMES[anchor.weekday()]},-1{NAMES[centre.weekday()]}"
    else:
        anchor = (anchor.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        rule = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1"
    if counted:
        rule += draw(st.sampled_from(["", ";INTERVAL=2", ";INTERVAL=3", ";COUNT=12", ";INTERVAL=2;COUNT=9"]))
    starts, ends = sorted(draw(st.lists(times, min_size=2, max_size=2, unique=True)))
    if draw(st.booleans()):
        ends = time.min
    until = draw(st.none() | st.integers(-1, 3).map(lambda n: centre + timedelta(days=n)))
    return Rule(rule, anchor, anchor if counted else None, until if until is None or until >= anchor else None, starts, ends, zone)


@st.composite
def stretches(draw: st.DrawFn, zone: str, centre: date) -> Stretch:
    first = centre + timedelta(days=draw(st.integers(-1, 1)))
    last = first + timedelta(days=draw(st.integers(0, 1)))
    starts, ends = sorted(draw(st.lists(times, min_size=2, max_size=2, unique=True)))
    return Stretch(draw(st.booleans()), first, starts, last, ends, zone)


kinds = st.fixed_dictionaries(
    {"minutes": lengths, "step_minutes": lengths, "buffer_before": st.sampled_from([0, 5]), "buffer_after": st.sampled_from([0, 10])}
)


class Stage:
    """The week in the tables: a provider of its own, a kind of visit, what is taken."""

    def __init__(self, clinic: Clinic, week: Week, shape: dict[str, int]) -> None:
        self.clinic, self.week = clinic, week
        code = f"oracle-{uuid7().hex[-12:]}"
        self.kind: VisitType = services.define_visit_type(code=code, name="Oracle", by=SYSTEM, horizon_days=420, **shape)
        self.provider = Practitioner.objects.create(account_id=uuid7(), timezone="America/New_York").pk
        License.objects.create(practitioner_id=self.provider, state="MA", valid_from=date(2020, 1, 1))
        for rule in week.rules:
            self.say(rule)
        for each in week.stretches:
            self.differ(each)
        services.set_busy(practitioner_id=self.provider, calendar_id=uuid7(), spans=week.away, by=SYSTEM)

    def say(self, rule: Rule) -> None:
        given = {"rrule": rule.rrule, "starts": rule.starts, "ends": rule.ends, "timezone": rule.zone}
        services.open_hours(practitioner_id=self.provider, valid_from=rule.valid_from, valid_to=rule.valid_to, by=SYSTEM, **given)

    def differ(self, each: Stretch) -> None:
        given: dict[str, Any] = {"first_day": each.first, "last_day": each.last, "timezone": each.zone}
        given |= {"starts": each.starts, "ends": each.ends}
        kind, whose = ("extra", self.provider) if each.opens else ("off", None if each.starts.minute else self.provider)
        services.except_hours(practitioner_id=whose, kind=kind, code="other", by=SYSTEM, **given)

    def found(self, zone: str = "UTC", limit: int = 5000) -> selectors.SlotPage:
        asked = {"visit_type": self.kind.code, "since": self.week.begin, "until": self.week.end, "practitioner_id": self.provider}
        whose = self.clinic.pia_record.pk
        return selectors.slots(self.clinic.desk.by, patient_id=whose, zone=ZoneInfo(zone), limit=limit, state="MA", **asked)

    def offered(self) -> set[datetime]:
        return {moment(start) for start, who in self.found().offers if UUID(int=who) == self.provider}

    def book(self, start: datetime) -> bool:
        """Whether booking takes it; nothing stays booked."""
        point = transaction.savepoint()
        try:
            self.take(self.clinic.pia_record.pk, start)
        except NO:
            return False
        finally:
            transaction.savepoint_rollback(point)
        return True

    def take(self, patient_id: UUID, start: datetime, provider: UUID | None = None) -> None:
        wish = {"patient_id": patient_id, "practitioner_id": provider or self.provider, "visit_type": self.kind.code}
        services.book(starts_at=start, by=self.clinic.desk.by, **wish)


def compare(clinic: Clinic, data: st.DataObject) -> int:
    week, shape = data.draw(weeks()), data.draw(kinds)
    stage = Stage(clinic, week, shape)
    for _ in range(2):  # somebody else takes what is offered, and takes it away
        if free := sorted(stage.offered()):
            start = data.draw(st.sampled_from(free))
            stage.take(clinic.ned_record.pk, start)
            length = timedelta(minutes=shape["minutes"] + shape["buffer_after"])
            week.busy.append((start - timedelta(minutes=shape["buffer_before"]), start + length))
    engage(stage)
    expected = week.offered(stage.kind)
    assert stage.offered() == expected
    zone = data.draw(st.sampled_from(ZONES))
    days = Counter(start.astimezone(clock(zone)).date().isoformat() for start in expected)
    assert stage.found(zone, limit=1).per_day == days
    tried = data.draw(st.lists(st.integers(0, 863).map(lambda n: week.begin + n * STEP), min_size=3, max_size=6))
    for start in [*tried, *sorted(expected)[:2], *(each + STEP for each in sorted(expected)[-1:])]:
        if week.begin <= start < week.end:
            assert stage.book(start) == (start in expected)
    return len(expected)


def engage(stage: Stage) -> None:
    """The patient is somewhere else: with Dr Cho, who has all day, by a kind of visit as long as that."""
    for start, end in stage.week.engaged:
        minutes = int((end - start) / timedelta(minutes=1))
        kind = services.define_visit_type(code=f"else-{uuid7().hex[-12:]}", name="Else", minutes=minutes, by=SYSTEM, horizon_days=420)
        whom = {"patient_id": stage.clinic.pia_record.pk, "practitioner_id": stage.clinic.dr_cho.pk, "visit_type": kind.code}
        services.book(starts_at=start, by=stage.clinic.desk.by, overbooking=services.Overbooking("other", "for the test"), **whom)


def undone(clinic: Clinic, data: st.DataObject) -> int:
    point = transaction.savepoint()
    try:
        return compare(clinic, data)
    finally:
        transaction.savepoint_rollback(point)


def play(clinic: Clinic, examples: int) -> None:
    offers: list[int] = []

    @settings(max_examples=examples, **LIMITS)
    @given(data=st.data())
    def test(data: st.DataObject) -> None:
        offers.append(undone(clinic, data))

    test()
    assert sum(offers) > 10 * examples // 5  # and not because nothing was ever offered


def test_offered_is_what_the_oracle_finds(clinic: Clinic) -> None:
    play(clinic, 12)


@pytest.mark.storm
def test_offered_is_what_the_oracle_finds_again_and_again(clinic: Clinic) -> None:
    play(clinic, 150)
