"""When somebody is there: rules, and what differs from them. Administrators' work; every change is expanded with it."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.errors import ExceptionOdd, HoursEmpty, UnknownPractitioner, UnknownTimezone, UnknownVisitType
from scheduling.hours import ZONES
from scheduling.models import Availability, AvailabilityException, Opening, Schedule, VisitType
from scheduling.recurrence import normal
from scheduling.services.expanding import keep_still, write_busy, write_exception, write_hours
from scheduling.spans import seconds
from telehealth.core import lock, one, permit
from telehealth.records.models import Practitioner

FIRST, LAST = date(2000, 1, 1), date(2200, 1, 1)
LONGEST_EXCEPTION = 800  # days
MIDNIGHT = time.min


@transaction.atomic
def open_hours(
    *,
    practitioner_id: UUID,
    rrule: str,
    starts: time,
    ends: time,
    timezone: str,
    by: Actor,
    valid_from: date | None = None,
    valid_to: date | None = None,
    visit_types: Iterable[str] = (),
) -> Availability:
    """The provider is there on the days of the rule between these times of that zone; `ends` 00:00 is the day's end.

    For the visit types of these codes, or for all. RuleNotSupported, RuleNeedsStart, HoursEmpty, UnknownTimezone.
    """
    permit(by, rules.may_set_hours, None)
    _check(timezone, practitioner_id, valid_from, valid_to)
    rule = normal(rrule, valid_from=valid_from, valid_to=valid_to)
    kinds = _kinds(visit_types)
    keep_still(practitioner_id)
    hours = Availability(practitioner_id=practitioner_id, rrule=rule, starts=starts, ends=ends, timezone=timezone)
    hours.valid_from, hours.valid_to = valid_from, valid_to
    try:
        with transaction.atomic():
            hours.save()
    except IntegrityError as violation:
        raise HoursEmpty() from violation
    hours.visit_types.set(kinds)
    write_hours(hours)
    record(by, Act.HOURS_OPENED, hours, detail={"practitioner": str(practitioner_id)})
    return hours


@transaction.atomic
def close_hours(*, availability_id: UUID, by: Actor) -> None:
    """No longer offered. What is booked in it stays booked."""
    permit(by, rules.may_set_hours, None)
    keep_still(one(Availability.objects.all(), availability_id).practitioner_id)
    hours = one(Availability.objects.select_for_update(), availability_id)
    record(by, Act.HOURS_CLOSED, hours, detail={"practitioner": str(hours.practitioner_id)})
    Opening.objects.filter(source_id=hours.pk).delete()
    hours.delete()


@transaction.atomic
def except_hours(
    *,
    practitioner_id: UUID | None,
    kind: str,
    code: str,
    first_day: date,
    last_day: date,
    timezone: str,
    by: Actor,
    starts: time = MIDNIGHT,
    ends: time = MIDNIGHT,
    visit_types: Iterable[str] = (),
) -> AvailabilityException:
    """Off, or there in addition (`extra`), from `starts` of the first to `ends` of the last day; nobody named: the clinic is closed.

    Stops offers and bookings; what is booked stays booked. ExceptionOdd, UnknownTimezone, UnknownPractitioner.
    """
    permit(by, rules.may_set_hours, None)
    _check(timezone, practitioner_id, first_day, last_day)
    if (last_day - first_day).days > LONGEST_EXCEPTION:
        raise ExceptionOdd()
    kinds = _kinds(visit_types)
    exception = AvailabilityException(practitioner_id=practitioner_id, kind=kind, code=code, timezone=timezone)
    exception.first_day, exception.last_day, exception.starts, exception.ends = first_day, last_day, starts, ends
    try:
        with transaction.atomic():
            exception.save()
    except IntegrityError as violation:
        raise ExceptionOdd() from violation
    exception.visit_types.set(kinds)
    write_exception(exception, _concerned(exception))
    record(by, Act.HOURS_EXCEPTED, exception, reason=code, detail={"practitioner": str(practitioner_id or ""), "kind": kind})
    return exception


@transaction.atomic
def lift_exception(*, exception_id: UUID, by: Actor) -> None:
    """As the rules say again."""
    permit(by, rules.may_set_hours, None)
    _concerned(one(AvailabilityException.objects.all(), exception_id))
    exception = one(AvailabilityException.objects.select_for_update(), exception_id)
    record(by, Act.HOURS_EXCEPTION_LIFTED, exception, detail={"practitioner": str(exception.practitioner_id or "")})
    Opening.objects.filter(source_id=exception.pk).delete()
    exception.delete()


@transaction.atomic
def set_busy(*, practitioner_id: UUID, calendar_id: UUID, spans: Sequence[tuple[datetime, datetime]], by: Actor) -> None:
    """What the provider's other calendar says is taken, instead of what it said before: no offers there, no bookings."""
    permit(by, rules.may_import_busy, one(Practitioner.objects.all(), practitioner_id))
    lock(practitioner_id)
    rounded = ((seconds(start), -(-end.timestamp() // 1)) for start, end in spans)
    write_busy(practitioner_id, calendar_id, [(start, int(end)) for start, end in rounded if start < end])
    detail = {"practitioner": str(practitioner_id), "calendar": str(calendar_id), "spans": len(spans)}
    record(by, Act.HOURS_BUSY_IMPORTED, detail=detail)


def _check(timezone: str, practitioner_id: UUID | None, *on: date | None) -> None:
    if timezone not in ZONES:
        raise UnknownTimezone()
    if not all(day is None or FIRST <= day <= LAST for day in on):
        raise HoursEmpty()
    if practitioner_id and not Practitioner.objects.filter(pk=practitioner_id).exclude(account_id=None).exists():
        raise UnknownPractitioner()


def _kinds(codes: Iterable[str]) -> list[VisitType]:
    wanted = set(codes)
    found = list(VisitType.objects.filter(code__in=wanted))
    if len(found) != len(wanted):
        raise UnknownVisitType()
    return found


def _concerned(exception: AvailabilityException) -> list[UUID]:
    """Whose openings it changes, locked: one provider's, or of everybody who has any."""
    keep_still()
    every = Schedule.objects.order_by("practitioner_id").values_list("practitioner_id", flat=True)
    concerned = [exception.practitioner_id] if exception.practitioner_id else list(every)
    keep_still(*concerned)
    return concerned
