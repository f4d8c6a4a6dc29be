"""What paper diaries would say: hours by the oracle's clocks, whose time is taken, who was told. It knows nothing of the database."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID

from audit.ledger import Act
from scheduling.errors import GroupVisitFull, NotPlanned, OutsideHours, PatientBusy, ResourceTaken, SlotTaken, StartMisaligned
from scheduling.models import VisitType
from telehealth.core import now
from tests.scheduling.conftest import ZONE, Clinic
from tests.scheduling.oracle import STEP, Times, clock, jumps, shown, span, ticks

Span = tuple[datetime, datetime]
NO = (OutsideHours, StartMisaligned, PatientBusy, SlotTaken, ResourceTaken, NotPlanned, GroupVisitFull)
AHEAD, PAST = timedelta(hours=2), timedelta(hours=3)  # what is played of the night in which the clocks change
spanned = lru_cache(span)


@lru_cache
def changes(zone: str, since: date) -> list[datetime]:
    """The next two moments at which this zone's clock jumps; where it never does, two in the morning some day."""
    there, found = clock(zone), []
    begin = datetime.combine(since, time(12), UTC)
    for day in jumps(zone, begin, 380):
        walk = [datetime.combine(day, time.min, UTC) + n * timedelta(minutes=30) for n in range(-72, 72)]
        offsets = [at.astimezone(there).utcoffset() for at in walk]
        found += [at for at, one, other in zip(walk[1:], offsets, offsets[1:], strict=False) if one != other][:1]
    return found[:2] if len(found) > 1 else [shown(since + timedelta(days=10), time(2), zone)] * 2


@dataclass
class Stage:
    """The clinic of the tests, a third patient, who is reached by nothing, and all kinds of visits by name."""

    clinic: Clinic
    patients: dict[str, UUID]
    providers: dict[str, UUID]
    kinds: dict[str, VisitType]


@dataclass
class Booked:
    """A visit, or (without a patient) several people's."""

    pk: UUID
    provider: UUID
    kind: VisitType
    start: datetime
    patient: UUID | None = None
    held: bool = False
    group: UUID | None = None
    series: UUID | None = None

    @property
    def visit(self) -> Span:
        return self.start, self.start + timedelta(minutes=self.kind.minutes)

    @property
    def taken(self) -> Span:
        """The provider's time."""
        before, after = timedelta(minutes=self.kind.buffer_before), timedelta(minutes=self.kind.buffer_after)
        return self.visit[0] - before, self.visit[1] + after


class Paper:
    """The diaries of one night."""

    def __init__(self, stage: Stage, zone: str, edge: int) -> None:
        self.stage, self.zone = stage, zone
        self.edge = changes(zone, (now() + timedelta(days=5)).date())[edge]
        self.begin, self.end = self.edge - AHEAD, self.edge + PAST
        self.night = self.edge.astimezone(clock(zone)).date()
        self.kept: list[Booked] = []
        self.groups: list[Booked] = []
        self.dees: dict[UUID, tuple[time, time]] = {}
        self.differing: dict[UUID, tuple[UUID | None, bool, Span]] = {}
        self.stands: dict[UUID, str] = {}
        self.ran_out: set[UUID] = set()
        self.acts: defaultdict[UUID, Counter[Act]] = defaultdict(Counter)
        self.told: Counter[tuple[str, UUID]] = Counter()
        self.sheets: dict[UUID, tuple[list[Span], Times]] = {}

    def note(self, one: Booked, status: str, *acts: Act, told: str = "") -> None:
        """How it stands now, what the ledger must say of it, and which message the patient must get."""
        self.stands[one.pk] = status
        self.acts[one.pk].update(acts)
        if told and one.patient != self.stage.patients["sam"]:
            self.told[told, one.pk] += 1

    def sheet(self, provider: UUID) -> tuple[list[Span], Times]:
        """The openings, whose starts are where steps begin, and every five minutes that are open and not closed."""
        if provider not in self.sheets:
            days = [self.night + timedelta(days=n) for n in range(-3, 4)]
            usual = [(time.min, time.min)] if provider == self.stage.providers["cho"] else list(self.dees.values())
            zone = ZONE if provider == self.stage.providers["cho"] else self.zone
            opened = [spanned(day, starts, day, ends, zone) for day in days for starts, ends in usual]
            concerned = [(opens, off) for whose, opens, off in self.differing.values() if whose in (None, provider)]
            opened += [stretch for opens, stretch in concerned if opens]
            self.sheets[provider] = opened, ticks(opened) - ticks([stretch for opens, stretch in concerned if not opens])
        return self.sheets[provider]

    def hours_say(self, asked: Booked) -> type[Exception] | None:
        opened, there = self.sheet(asked.provider)
        if not ticks([asked.visit]) <= there:
            return OutsideHours
        step = timedelta(minutes=asked.kind.step_minutes)
        aligned = any(begin <= asked.start < end and not (asked.start - begin) % step for begin, end in opened)
        return None if aligned else StartMisaligned

    def provider_says(self, asked: Booked) -> type[Exception] | None:
        alone = [each for each in self.kept if each.group is None]
        taken = any(clash(asked.taken, each.taken) for each in [*alone, *self.groups] if each.provider == asked.provider)
        return SlotTaken if taken else None

    def verdict(self, asked: Booked) -> type[Exception] | None:
        """What booking must answer, and whether search must offer it."""
        engaged = any(clash(asked.visit, each.visit) for each in self.kept if each.patient == asked.patient)
        if asked.kind.capacity > 1:
            return self.place_says(asked) or (PatientBusy if engaged else None)
        if no := self.hours_say(asked) or (PatientBusy if engaged else None) or self.provider_says(asked):
            return no
        wanting = asked.kind.needs and any(clash(asked.visit, each.visit) for each in self.kept if each.kind.needs)
        return ResourceTaken if wanting else None

    def planned(self, asked: Booked) -> Booked | None:
        return next((each for each in self.groups if (each.provider, each.start) == (asked.provider, asked.start)), None)

    def place_says(self, asked: Booked) -> type[Exception] | None:
        if (group := self.planned(asked)) is None:
            return NotPlanned
        return GroupVisitFull if sum(each.group == group.pk for each in self.kept) >= group.kind.capacity else None

    def repeated(self, start: datetime) -> list[datetime]:
        """Three days at the same time of the provider's clocks."""
        wall = start.astimezone(clock(ZONE))
        return [start, *(shown(wall.date() + timedelta(days=n), wall.time(), ZONE) for n in (1, 2))]

    def offers(self, kind: VisitType, patient: UUID) -> set[tuple[datetime, UUID]]:
        starts = [self.begin + n * STEP for n in range((self.end - self.begin) // STEP)]
        pairs = [(start, provider) for start in starts for provider in self.stage.providers.values()]
        return {pair for pair in pairs if self.verdict(Booked(pair[1], pair[1], kind, pair[0], patient)) is None}


def clash(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
