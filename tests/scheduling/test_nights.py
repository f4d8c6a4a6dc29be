"""As `test_state_machine`, with series, groups, needs, closures, other hours and errors of the database at any statement."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from audit.ledger import SYSTEM, Act, EntryNotWritten, unit
from scheduling import services
from scheduling.errors import SeriesClash
from scheduling.models import Appointment, Availability, Occupancy
from telehealth.core import now
from telehealth.records.models import Patient
from tests.scheduling.conftest import Clinic
from tests.scheduling.diary import NO, Booked, Paper, Stage, spanned
from tests.scheduling.diary_checks import Checked

ZONES = ["America/New_York", "Australia/Lord_Howe", "Europe/London", "America/St_Johns", "Africa/Cairo", "America/Phoenix"]
HOURS = st.sampled_from([(time.min, time.min), (time(0, 30), time(3, 15)), (time(1), time(4, 45))])
MINUTES = st.integers(0, 9).map(lambda n: n * 30) | st.integers(0, 59).map(lambda n: n * 5)
WHO, WHOM = st.sampled_from(["pia", "pia", "ned", "sam"]), st.sampled_from(["cho", "dee"])
WHAT = st.sampled_from(["quick", "long", "long", "needy", "group"])
DAILY = "FREQ=DAILY;COUNT=3"
FRAME = ("SAVEPOINT", "RELEASE", "ROLLBACK")


@contextmanager
def dies_at(number: int) -> Iterator[None]:
    """The statement of this number fails in the database, whatever it is: those that frame a transaction are not counted."""
    count = 0

    def run(execute: Callable[..., Any], sql: str, *more: Any) -> Any:
        nonlocal count
        count += not sql.startswith(FRAME)
        dies = count == number and not sql.startswith(FRAME)
        return execute("SELECT 1 / 0", None, False, more[2]) if dies else execute(sql, *more)

    with connection.execute_wrapper(run):
        yield


class Clerk(Checked):
    """Does things, and writes them into the diaries."""

    @initialize(zone=st.sampled_from(ZONES), edge=st.integers(0, 1), hours=HOURS)
    def begin(self, zone: str, edge: int, hours: tuple[time, time]) -> None:
        self.paper, self.by = Paper(self.stage, zone, edge), self.stage.clinic.desk.by
        services.close_hours(availability_id=Availability.objects.get(practitioner=self.stage.providers["dee"]).pk, by=SYSTEM)
        self.open(hours)

    def open(self, hours: tuple[time, time]) -> None:
        said = {"rrule": "FREQ=DAILY", "starts": hours[0], "ends": hours[1], "timezone": self.paper.zone}
        made = services.open_hours(practitioner_id=self.stage.providers["dee"], by=SYSTEM, **said)
        self.paper.dees[made.pk] = hours
        self.paper.sheets.clear()

    def call(self, asked: Booked, *, held: bool = False, rule: str = "") -> Any:
        wish = {"patient_id": asked.patient, "practitioner_id": asked.provider, "visit_type": asked.kind.code, "starts_at": asked.start}
        if held:
            return services.hold(**wish, until=asked.start, by=SYSTEM)
        return services.book_series(**wish, rule=rule, by=self.by) if rule else services.book(**wish, by=self.by)

    def answered(self, expected: type[Exception] | None, ask: Callable[[], Any]) -> Any:
        """What came of it, if it was what had to come of it."""
        try:
            made = ask()
        except NO as error:
            assert type(error) is expected
            return None
        assert expected is None
        return made

    @rule(who=WHO, whom=WHOM, what=WHAT, minutes=MINUTES, held=st.booleans())
    def book(self, who: str, whom: str, what: str, minutes: int, held: bool) -> None:
        self.take(self.asked(who, whom, what, minutes), held)

    @precondition(lambda self: self.paper.groups)
    @rule(data=st.data(), who=WHO, held=st.booleans())
    def place(self, data: st.DataObject, who: str, held: bool) -> None:
        group = data.draw(st.sampled_from(self.paper.groups))
        self.take(Booked(group.pk, group.provider, group.kind, group.start, self.stage.patients[who]), held)

    def take(self, asked: Booked, held: bool) -> None:
        group = self.paper.planned(asked) if asked.kind.capacity > 1 else None
        if made := self.answered(self.paper.verdict(asked), lambda: self.call(asked, held=held)):
            asked.pk, asked.held, asked.group = made.pk, held, group and group.pk
            self.paper.kept.append(asked)
            acts = ("pending", Act.APPOINTMENT_HELD) if held else ("booked", Act.APPOINTMENT_BOOKED)
            self.paper.note(asked, *acts, told="" if held else "appointment_booked")

    @rule(who=WHO, whom=WHOM, what=st.sampled_from(["quick", "long", "needy"]), minutes=MINUTES)
    def repeat(self, who: str, whom: str, what: str, minutes: int) -> None:
        first = self.asked(who, whom, what, minutes)
        starts = self.paper.repeated(first.start - timedelta(days=1))
        visits = [Booked(first.pk, first.provider, first.kind, start, first.patient) for start in starts]
        clashes = [(each.start.isoformat().replace("+00:00", "Z"), no.code) for each in visits if (no := self.paper.verdict(each))]  # type: ignore[attr-defined]
        try:
            made = self.call(visits[0], rule=DAILY)
        except SeriesClash as error:
            assert [(each["starts_at"], each["code"]) for each in error.reply["clashes"]] == clashes
            return
        assert not clashes
        for each, row in zip(visits, Appointment.objects.filter(series=made).order_by("starts_at"), strict=True):
            each.pk, each.series = row.pk, made.pk
            self.paper.note(each, "booked", Act.APPOINTMENT_BOOKED, told="appointment_booked" if each is visits[0] else "")
        self.paper.kept += visits

    @precondition(lambda self: any(each.series for each in self.paper.kept))
    @rule(data=st.data())
    def cancel_series(self, data: st.DataObject) -> None:
        series = data.draw(st.sampled_from([each.series for each in self.paper.kept if each.series]))
        rest = sorted((each for each in self.paper.kept if each.series == series), key=lambda each: each.start)
        services.cancel_series(series_id=series, by=self.by)
        for each in rest:
            self.paper.note(each, "cancelled", Act.APPOINTMENT_CANCELLED, told="appointment_cancelled" if each is rest[0] else "")
            self.paper.kept.remove(each)

    @rule(whom=WHOM, minutes=st.integers(0, 9).map(lambda n: n * 30))
    def plan(self, whom: str, minutes: int) -> None:
        asked = self.asked("pia", whom, "group", minutes)
        asked.patient = None
        wish = {"practitioner_id": asked.provider, "visit_type": asked.kind.code, "starts_at": asked.start}
        expected = self.paper.hours_say(asked) or self.paper.provider_says(asked)
        if made := self.answered(expected, lambda: services.plan_group_visit(**wish, by=self.by)):
            asked.pk = made.pk
            self.paper.groups.append(asked)

    @precondition(lambda self: self.paper.groups)
    @rule(data=st.data())
    def call_off(self, data: st.DataObject) -> None:
        group = data.draw(st.sampled_from(self.paper.groups))
        services.cancel_group_visit(group_visit_id=group.pk, reason="prov", by=self.by)
        self.paper.groups.remove(group)
        for each in [each for each in self.paper.kept if each.group == group.pk]:
            self.forget(each)

    def forget(self, one: Booked) -> None:
        self.paper.kept.remove(one)
        if one.held:
            self.paper.note(one, "cancelled", Act.APPOINTMENT_HOLD_RELEASED)
        else:
            self.paper.note(one, "cancelled", Act.APPOINTMENT_CANCELLED, told="appointment_cancelled")

    def again(self, former: Booked, who: str) -> None:
        """Somebody wants at once what has just become free."""
        self.take(Booked(former.pk, former.provider, former.kind, former.start, self.stage.patients[who]), held=False)

    @precondition(lambda self: self.paper.groups)
    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        """Everybody wants a place; somebody gives one back, and it can be had again."""
        group = data.draw(st.sampled_from(self.paper.groups))
        for who in ("ned", "sam", "pia"):
            self.again(group, who)
        if there := [each for each in self.paper.kept if each.group == group.pk and not each.held]:
            services.cancel(appointment_id=there[0].pk, reason="pat", by=self.by)
            self.forget(there[0])
            self.again(group, "sam")

    @precondition(lambda self: any(each.held for each in self.paper.kept))
    @rule(data=st.data(), how=st.sampled_from(["confirm", "release", "run out"]))
    def settle(self, data: st.DataObject, how: str) -> None:
        one = data.draw(st.sampled_from([each for each in self.paper.kept if each.held]))
        if how == "confirm":
            services.confirm(appointment_id=one.pk, by=self.by)
            one.held = False
            self.paper.note(one, "booked", Act.APPOINTMENT_CONFIRMED, Act.APPOINTMENT_BOOKED, told="appointment_booked")
        elif how == "release":
            services.release_hold(appointment_id=one.pk, by=self.by)
            self.forget(one)
        else:  # nobody sweeps it: whoever wants the time does
            Occupancy.objects.filter(appointment_id=one.pk).update(held_until=now() - timedelta(seconds=1))
            self.paper.kept.remove(one)
            self.paper.ran_out.add(one.pk)
            self.again(one, "sam")

    @precondition(lambda self: any(not each.held and not each.group for each in self.paper.kept))
    @rule(data=st.data(), whom=WHOM, minutes=MINUTES)
    def move(self, data: st.DataObject, whom: str, minutes: int) -> None:
        one = data.draw(st.sampled_from([each for each in self.paper.kept if not each.held and not each.group]))
        to = self.asked("pia", whom, "quick", minutes)
        asked = Booked(one.pk, to.provider, one.kind, to.start, one.patient, series=one.series)
        self.paper.kept.remove(one)
        wish = {"appointment_id": one.pk, "starts_at": to.start, "practitioner_id": to.provider}
        moved = self.answered(self.paper.verdict(asked), lambda: services.reschedule(**wish, by=self.by))
        self.paper.kept.append(asked if moved else one)
        if moved:
            self.paper.note(asked, "booked", Act.APPOINTMENT_RESCHEDULED, told="appointment_changed")

    @precondition(lambda self: self.paper.kept)
    @rule(data=st.data(), how=st.sampled_from(["cancel", "fulfil", "no-show"]))
    def end(self, data: st.DataObject, how: str) -> None:
        gone = data.draw(st.sampled_from(self.paper.kept))
        if how == "cancel" or gone.held:
            services.cancel(appointment_id=gone.pk, reason="pat", by=self.by)
            return self.forget(gone)
        self.paper.kept.remove(gone)
        if how == "no-show":
            services.mark_no_show(appointment_id=gone.pk, by=SYSTEM)
            return self.paper.note(gone, "noshow", Act.APPOINTMENT_NO_SHOW, told="appointment_missed")
        services.arrive(appointment_id=gone.pk, by=self.by)
        services.fulfil(appointment_id=gone.pk, by=self.by)
        return self.paper.note(gone, "fulfilled", Act.APPOINTMENT_ARRIVED, Act.APPOINTMENT_FULFILLED)

    @rule(whose=st.sampled_from(["cho", "dee", ""]), opens=st.booleans(), first=st.integers(0, 16), quarters=st.integers(1, 8))
    def differ(self, whose: str, opens: bool, first: int, quarters: int) -> None:
        """Time off, extra hours, or the clinic is closed."""
        provider = self.stage.providers["dee" if opens else whose] if opens or whose else None
        starts, ends = (time(n // 4, n % 4 * 15) for n in (first, first + quarters))
        day, zone = self.paper.night, self.paper.zone
        said = {"kind": "extra" if opens else "off", "first_day": day, "last_day": day, "starts": starts, "ends": ends, "timezone": zone}
        made = services.except_hours(practitioner_id=provider, code="other", by=SYSTEM, **said)
        self.paper.differing[made.pk] = (provider, opens, spanned(day, starts, day, ends, zone))
        self.paper.sheets.clear()

    @precondition(lambda self: self.paper.differing)
    @rule(data=st.data())
    def lift(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(sorted(self.paper.differing)))
        services.lift_exception(exception_id=gone, by=SYSTEM)
        del self.paper.differing[gone]
        self.paper.sheets.clear()

    @rule(hours=HOURS)
    def keep_other_hours(self, hours: tuple[time, time]) -> None:
        for former in list(self.paper.dees):
            services.close_hours(availability_id=former, by=SYSTEM)
            del self.paper.dees[former]
        self.open(hours)

    @rule(data=st.data(), who=WHO, whom=WHOM, what=WHAT, minutes=MINUTES, at=st.integers(1, 40))
    def crash(self, data: st.DataObject, who: str, whom: str, what: str, minutes: int, at: int) -> None:
        """Something dies at one of its statements: nothing in the diaries changes. What came through is taken back."""
        asked, cancel = self.asked(who, whom, what, minutes), {"reason": "pat", "by": self.by}
        calls = [lambda: self.call(asked), lambda: self.call(asked, held=True)]
        calls += [lambda: self.call(asked, rule=DAILY)] * (what != "group")
        for each in self.paper.kept[:2]:
            calls.append(lambda each=each: services.cancel(appointment_id=each.pk, **cancel))
            calls.append(lambda each=each: services.confirm(appointment_id=each.pk, by=self.by))
            if not each.held and not each.group:
                calls.append(lambda each=each: services.reschedule(appointment_id=each.pk, starts_at=asked.start, by=self.by))
        calls += [lambda each=each: services.cancel_group_visit(group_visit_id=each.pk, **cancel) for each in self.paper.groups[:1]]
        point = transaction.savepoint()
        try:
            with unit(SYSTEM, channel="command"), dies_at(at):
                data.draw(st.sampled_from(calls))()
        except (DatabaseError, EntryNotWritten, SeriesClash, *NO):
            transaction.savepoint_commit(point)
        else:
            transaction.savepoint_rollback(point)


def furnished(clinic: Clinic) -> Stage:
    """Every kind may be booked until clocks have changed twice; of what is needed there is one of each."""
    for kind in (clinic.quick, clinic.long):
        services.change_visit_type(visit_type_id=kind.pk, changes={"horizon_days": 420, "lead_minutes": 0}, by=SYSTEM)
        kind.refresh_from_db()
    more = {"horizon_days": 420, "by": SYSTEM}
    needy = services.define_visit_type(code="needy", name="N", minutes=20, step_minutes=10, needs=["room", "interpreter"], **more)
    group = services.define_visit_type(code="group", name="G", minutes=30, step_minutes=30, capacity=2, buffer_after=5, **more)
    services.define_resource(kind="room", name="Room", by=SYSTEM)
    services.define_resource(kind="interpreter", name="Somebody", languages=["es"], by=SYSTEM)
    providers = {"cho": clinic.dr_cho.pk, "dee": clinic.dr_dee.pk}
    for each in providers.values():
        services.expand(practitioner_id=each, by=SYSTEM)
    sam = Patient.objects.create(mrn="S-1", family="Reached by nothing", address={"state": "MA"})
    patients = {"pia": clinic.pia_record.pk, "ned": clinic.ned_record.pk, "sam": sam.pk}
    return Stage(clinic, patients, providers, {"quick": clinic.quick, "long": clinic.long, "needy": needy, "group": group})


def test_series_groups_needs_and_closures_leave_no_overlap_and_no_offer_that_cannot_be_booked(clinic: Clinic) -> None:
    class Machine(Clerk):
        stage = furnished(clinic)

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    # Shrinking would cost minutes; the steps that led there are told all the same.
    limits = settings(max_examples=8, stateful_step_count=20, deadline=None, phases=[Phase.generate], suppress_health_check=checks)
    run_state_machine_as_test(Machine, settings=limits)  # type: ignore[no-untyped-call]
