"""What can be booked. The same arithmetic as booking asks, over the same rows."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, F, Func, Q, QuerySet

from audit.ledger import Actor
from scheduling.errors import UnknownVisitType, WindowOdd
from scheduling.hours import Hours, instant, local_days, openings
from scheduling.models import Availability, Occupancy, VisitType
from scheduling.slots import free
from scheduling.spans import Span, moment, seconds
from telehealth.accounts.access import Action, Resource
from telehealth.core import now, one
from telehealth.records.access import visible
from telehealth.records.models import Patient
from telehealth.records.selectors import own_patient_id

LONGEST_WINDOW = timedelta(days=31)
DEFAULT_WINDOW = timedelta(days=7)

Offer = tuple[int, int]
"""A start and the number of who offers it (`UUID.int`): the order of the list, and the mark from where it goes on."""


@dataclass(frozen=True)
class SlotPage:
    """Some offers in order of start, the seconds each would last, counts of the whole search by local day, and where to go on."""

    offers: list[Offer]
    length: int
    per_day: dict[str, int]
    following: Offer | None


def visit_types() -> QuerySet[VisitType]:
    """What can be booked at present: no health data, so open to everybody who is signed in."""
    return VisitType.objects.filter(is_active=True)


def visit_type_of(code: str) -> VisitType:
    """The visit type in use, or UnknownVisitType."""
    found = visit_types().filter(code=code).first()
    if found is None:
        raise UnknownVisitType()
    return found


def slots(
    by: Actor,
    *,
    visit_type: str,
    since: datetime | None = None,
    until: datetime | None = None,
    practitioner_id: UUID | None = None,
    patient_id: UUID | None = None,
    zone: ZoneInfo,
    after: Offer | None = None,
    limit: int = 50,
) -> SlotPage:
    """Starts that can be booked from `since` (else now) up to `until` (else a week on), at most 31 days.

    A patient sees only what does not clash with their own appointments; so does who asks for `patient_id`, which must
    be somebody they may book for. `per_day` counts by the days of `zone`.
    """
    kind = visit_type_of(visit_type)
    window = _window(kind, since, until)
    patient = _booked_for(by, patient_id)
    rules = hours_by_practitioner(practitioner_id)
    busy = busy_spans({*rules, *([patient] if patient else [])}, window, kind)
    found = sorted(
        (start, provider.int)
        for provider, hours in rules.items()
        for start in free(openings(hours, window), kind.shape, window, provider=busy[provider], patient=busy[patient] if patient else ())
    )
    first = bisect_left(found, after) if after else 0
    rest = found[first : first + limit + 1]
    following = rest[limit] if len(rest) > limit else None
    return SlotPage(rest[:limit], kind.shape.length, _per_day(found, window, zone), following)


def hours_by_practitioner(practitioner_id: UUID | None = None) -> dict[UUID, list[Hours]]:
    """The weekly hours of everybody who has any, or of one."""
    rows = Availability.objects.filter(practitioner_id=practitioner_id) if practitioner_id else Availability.objects.all()
    found: defaultdict[UUID, list[Hours]] = defaultdict(list)
    for row in rows:
        found[row.practitioner_id].append(row.hours)
    return dict(found)


def busy_spans(parties: Collection[UUID], window: Span, kind: VisitType) -> dict[UUID, list[Span]]:
    """The time of each party that is taken, as far as it matters to visits that start in the window."""
    reach = (moment(window[0] - kind.shape.before), moment(window[1] + kind.shape.length + kind.shape.after))
    rows = Occupancy.objects.filter(Q(held_until=None) | Q(held_until__gt=now()), live=True, party__in=parties, during__overlap=reach)
    found: dict[UUID, list[Span]] = {party: [] for party in parties}
    for party, start, end in rows.values_list("party", _bound("floor", "lower"), _bound("ceil", "upper")):
        found[party].append((start, end))
    return found


def _bound(rounded: str, bound: str) -> Func:
    """One end of `during` as a whole Unix second, outwards: the database makes thousands of these faster than we do."""
    template = f"{rounded}(extract(epoch FROM {bound}(%(expressions)s)))::bigint"
    return Func(F("during"), template=template, output_field=BigIntegerField())


def _window(kind: VisitType, since: datetime | None, until: datetime | None) -> Span:
    """What was asked for, cut to what the visit type allows; a cut that leaves nothing is an empty window, not an error."""
    current = now()
    since = since or current
    until = until or since + DEFAULT_WINDOW
    if not timedelta(0) < until - since <= LONGEST_WINDOW:
        raise WindowOdd()
    earliest = max(since, current + timedelta(minutes=kind.lead_minutes))
    latest = min(until, current + timedelta(days=kind.horizon_days))
    begin = -int(-earliest.timestamp() // 1)  # up to the next whole second
    return begin, max(begin, seconds(latest))


def _booked_for(by: Actor, patient_id: UUID | None) -> UUID | None:
    if patient_id is None:
        return own_patient_id(by.id) if by.id else None
    return one(Patient.objects.filter(visible(by, Action.CREATE, Resource.APPOINTMENT, "")).only("pk"), patient_id).pk


def _per_day(found: Iterable[Offer], window: Span, zone: ZoneInfo) -> dict[str, int]:
    begins = [start for start, _ in found]
    counts = {}
    for day in local_days(window, zone):
        midnights = (instant(each, datetime.min.time(), zone) for each in (day, day + timedelta(days=1)))
        first, last = (bisect_left(begins, at) for at in midnights)
        if last > first:
            counts[day.isoformat()] = last - first
    return counts
