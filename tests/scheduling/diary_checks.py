"""What holds after every step: the tables, the ledger, the outbox and what is offered say what the diaries say."""

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q
from hypothesis.stateful import RuleBasedStateMachine, invariant

from audit.ledger import Act, uuid7
from audit.ledger.models import Entry
from scheduling import selectors
from scheduling.models import Appointment, Occupancy
from scheduling.spans import moment
from telehealth.core import now
from telehealth.outbox.models import Message
from telehealth.outbox.texts import TEXTS
from tests.scheduling.diary import Booked, Paper, Stage
from tests.scheduling.oracle import clock
from tests.scheduling.test_no_double_booking import overlaps

NO_STEP = {Act.APPOINTMENT_HELD, Act.APPOINTMENT_BOOKED}  # said of what has just come to stand so
MOVES = {Act.APPOINTMENT_RESCHEDULED, Act.APPOINTMENT_CANCELLED}


class Checked(RuleBasedStateMachine):
    """Everything is undone at the end of a run."""

    stage: Stage
    paper: Paper

    def __init__(self) -> None:
        super().__init__()
        self.point = transaction.savepoint()
        self.since = uuid7()

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.point)

    @invariant()
    def no_party_is_in_two_places(self) -> None:
        assert overlaps() == 0
        with connection.cursor() as cursor:  # and what the database asks of whoever commits, it asks here
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    @invariant()
    def the_tables_say_what_the_diaries_say(self) -> None:
        rows = Occupancy.objects.filter(Q(held_until=None) | Q(held_until__gt=now()), live=True)
        taken = Counter((row.kind, row.during.lower, row.during.upper) for row in rows if row.kind in ("room", "interpreter"))
        assert taken == Counter((need, *each.visit) for each in self.paper.kept for need in each.kind.needs)
        held = {(row.party, row.during.lower, row.during.upper) for row in rows if row.kind in ("patient", "provider")}
        alone = [each for each in self.paper.kept if each.group is None]
        visits = {(each.patient, *each.visit) for each in self.paper.kept}
        assert held == visits | {(each.provider, *each.taken) for each in [*alone, *self.paper.groups]}

    @invariant()
    def the_ledger_says_how_each_came_to_stand_so(self) -> None:
        said: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
        entries = Entry.objects.filter(id__gt=self.since, kind="scheduling.Appointment", act__startswith="appointment.")
        for act, pk in entries.values_list("act", "object_pk"):
            said[UUID(pk)][act] += 1
        for row in Appointment.objects.values("pk", "status", "version", "sequence"):
            expected = self.stands(row)
            assert said.pop(row["pk"]) == expected
            assert row["version"] == 1 + sum(count for act, count in expected.items() if act not in NO_STEP)
            assert row["sequence"] == sum(expected[act] for act in MOVES)
        assert not said  # nothing is said of what is not there

    def stands(self, row: dict[str, Any]) -> Counter[Act]:
        """Its acts, if it stands as it must. A hold that ran out has been swept, or has not."""
        pk, expected = row["pk"], self.paper.acts[row["pk"]]
        if pk not in self.paper.ran_out:
            assert row["status"] == self.paper.stands[pk]
            return expected
        assert row["status"] in ("pending", "cancelled")
        return expected + Counter([Act.APPOINTMENT_HOLD_RELEASED] * (row["status"] == "cancelled"))

    @invariant()
    def everybody_was_told_what_happened_and_nothing_else(self) -> None:
        sent = Message.objects.filter(kind__startswith="appointment_").values_list("kind", "object_id", "destination")
        assert Counter(sent) == {(*told, way): n for told, n in self.paper.told.items() for way in TEXTS[told[0]].channels}

    @invariant()
    def offered_is_what_can_be_booked_and_nothing_else(self) -> None:
        patient = self.stage.clinic.pia_record.pk
        for kind in self.stage.kinds.values():
            asked = {"visit_type": kind.code, "since": self.paper.begin, "until": self.paper.end, "patient_id": patient}
            found = selectors.slots(self.stage.clinic.desk.by, zone=ZoneInfo(self.paper.zone), limit=1000, **asked)
            offered = {(moment(start), UUID(int=provider)) for start, provider in found.offers}
            assert offered == self.paper.offers(kind, patient), kind.code
            there = clock(self.paper.zone)
            assert found.per_day == Counter(start.astimezone(there).date().isoformat() for start, _ in offered)

    def asked(self, who: str, whom: str, what: str, minutes: int) -> Booked:
        """A visit that is not there yet: its id is a stand-in."""
        at = self.paper.begin + minutes * (self.paper.end - self.paper.begin) / 300
        return Booked(self.stage.providers[whom], self.stage.providers[whom], self.stage.kinds[what], at, self.stage.patients[who])
