"""What can be booked: by kind, provider, time of day and where the patient will be."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, Exists, Func, OuterRef, Q, QuerySet, Value

from audit.ledger import SYSTEM, Actor
from scheduling.errors import UnknownVisitType, WindowOdd
from scheduling.hours import local_days, stretch
from scheduling.models import VisitType
from scheduling.selectors.eligible import turned_away
from scheduling.selectors.filling import full_days
from scheduling.selectors.free import Run, Search, runs
from scheduling.selectors.groups import group_runs
from scheduling.selectors.licensure import home_state, is_enforced
from scheduling.selectors.needs import suitable_for
from scheduling.selectors.paging import Offer, first_offers, per_day
from scheduling.selectors.practising import who_may_treat, without
from scheduling.spans import Span, seconds
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.models import User
from telehealth.core import now, one
from telehealth.records.access import visible
from telehealth.records.models import Patient, Practitioner
from telehealth.records.selectors import own_patient_id

LONGEST_WINDOW = timedelta(days=31)
DEFAULT_WINDOW = timedelta(days=7)
PARTS_OF_DAY = {"morning": (time.min, time(12)), "afternoon": (time(12), time(17)), "evening": (time(17), time.min)}
"""By the clock of the zone asked for; 00:00 as an end is midnight at the day's end."""


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
    specialty: str = "",
    language: str = "",
    state: str = "",
    part_of_day: str = "",
) -> SlotPage:
    """Starts that can be booked from `since` (else now) up to `until` (else a week on), at most 31 days: the earliest first.

    A patient sees only what does not clash with their own appointments; so does who asks for `patient_id`, which must
    be somebody they may book for. `per_day` counts by the days of `zone`, and parts of the day are by its clock.
    """
    kind = visit_type_of(visit_type)
    window = _window(kind, since, until)
    patient = _booked_for(by, patient_id)
    if patient and (patient.is_deceased or turned_away(by, kind, patient.pk)):
        window = (window[0], window[0])
    if patient and not state and is_enforced():
        state = home_state(patient)  # as booking does; where nobody knows it, booking has to be told
    who = providers(practitioner_id=practitioner_id, specialty=specialty, language=language)
    found = _found(kind, who, window, _parts(window, zone, part_of_day), patient.pk if patient else None, state)
    step = kind.shape.step
    page = first_offers(found, step, after, limit + 1)
    following = page.pop() if len(page) > limit else None
    return SlotPage(page, kind.shape.length, per_day(found, step, window, zone), following)


def _found(kind: VisitType, who: "QuerySet[Practitioner]", window: Span, parts: list[Span], patient: UUID | None, state: str) -> list[Run]:
    """A visit of several is offered where one is planned and has places; any other wherever there is time."""
    may_not: list[tuple[UUID, Span]] = []
    if state:
        who, may_not = who_may_treat(who, state, window)
    if kind.capacity > 1:
        return without(group_runs(kind, who, parts, patient), may_not)
    resources = [each for some in suitable_for(kind, patient).values() for each in some]
    return runs(Search(kind, who, parts, patient, [*full_days(kind, who, window), *may_not], resources))


def working_here() -> "QuerySet[Practitioner]":
    """Who gives care here and may sign in: whoever has left or is switched off would meet nobody."""
    gone = User.objects.filter(Q(is_active=False) | Q(role_until__lte=now()), pk=OuterRef("account_id"))
    return Practitioner.objects.filter(~Exists(gone), account_id__isnull=False)


def providers(*, practitioner_id: UUID | None = None, specialty: str = "", language: str = "") -> "QuerySet[Practitioner]":
    """Who gives care here, of this specialty (whole, in any case), in this language ("es" is also "es-MX")."""
    found = working_here()
    if practitioner_id:
        found = found.filter(pk=practitioner_id)
    if specialty:
        found = found.filter(specialty__iexact=specialty)
    if language:
        found = found.filter(_speaks(language))
    return found


def _speaks(language: str) -> Func:
    """RFC 4647 basic filtering. The tag is letters, digits and hyphens: the face saw to that."""
    path = f'$[*] ? (@ like_regex "^{language}(-|$)" flag "i")'
    return Func("languages", Value(path), function="jsonb_path_exists", output_field=BooleanField())


def _parts(window: Span, zone: ZoneInfo, part_of_day: str) -> list[Span]:
    """The window, or what of it lies in that part of each day."""
    if window[0] == window[1]:
        return []
    if not part_of_day:
        return [window]
    starts, ends = PARTS_OF_DAY[part_of_day]
    return [part for day in local_days(window, zone) if (part := _cut(window, day, starts, ends, zone))]


def _cut(window: Span, day: date, starts: time, ends: time, zone: ZoneInfo) -> Span | None:
    span = stretch(day, starts, day, ends, zone)
    cut = (max(window[0], span[0]), min(window[1], span[1])) if span else (0, 0)
    return cut if cut[0] < cut[1] else None


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


def _booked_for(by: Actor, patient_id: UUID | None) -> Patient | None:
    rows = Patient.objects.with_keys().only("pk", "is_deceased", "address")
    if patient_id is None:
        own = own_patient_id(by.id) if by.id else None
        return rows.filter(pk=own).first() if own else None
    allowed = Q(destroyed_at=None) if by == SYSTEM else visible(by, Action.CREATE, Resource.APPOINTMENT, "")
    return one(rows.filter(allowed), patient_id)
