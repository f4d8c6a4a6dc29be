"""From what was said about hours to spans of real time: rows that search and booking read, kept up while rules and clocks change."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.hours import openings
from scheduling.models import Availability, AvailabilityException, Opening, Schedule, Source
from scheduling.selectors.schedules import SPARE, horizon
from scheduling.spans import Span, moment, seconds
from scheduling.zones import InstalledZones, Zones
from telehealth.core import lock, now, permit

BEHIND = timedelta(days=2)  # for who was on duty lately

CLINIC = UUID("00000000-0000-4000-8000-00000c1141c5")
"""The lock of whoever changes hours, taken before any provider's: a closure must not miss whose first hours are just being written."""

WRITE = """
    INSERT INTO scheduling_opening (practitioner_id, during, opens, visit_type_id, source, source_id)
    SELECT %s, tstzrange(to_timestamp(span.begins), to_timestamp(span.ends)), %s, kind, %s, %s
    FROM unnest(%s::bigint[], %s::bigint[]) AS span (begins, ends) CROSS JOIN unnest(%s::uuid[]) AS kind
"""


@transaction.atomic
def expand(*, practitioner_id: UUID, by: Actor, zones: Zones | None = None) -> Schedule:
    """All of a provider's openings anew: as far ahead as can be booked, by the time zone database that is there now."""
    permit(by, rules.may_set_hours, None)
    keep_still(practitioner_id)
    schedule = _whole(practitioner_id, zones or InstalledZones())
    record(by, Act.HOURS_EXPANDED, schedule, detail={"practitioner": str(practitioner_id), "tz": schedule.tz_version})
    return schedule


def _whole(practitioner_id: UUID, zones: Zones) -> Schedule:
    window = _window()
    stale = Opening.objects.filter(practitioner_id=practitioner_id, source__in=(Source.RULE, Source.EXCEPTION))
    stale.delete()
    until, version = moment(window[1]), zones.version
    schedule, made = Schedule.objects.get_or_create(
        practitioner_id=practitioner_id, defaults={"expanded_until": until, "tz_version": version}
    )
    if not made:
        schedule.expanded_until, schedule.tz_version = until, version
        schedule.version += 1
        schedule.save()
    for hours in Availability.objects.filter(practitioner_id=practitioner_id).prefetch_related("visit_types"):
        _write_hours(hours, window, zones)
    mine = AvailabilityException.objects.filter(practitioner_id=practitioner_id)
    for exception in (mine | AvailabilityException.objects.filter(practitioner=None)).prefetch_related("visit_types"):
        _write_exception(exception, practitioner_id, zones)
    return schedule


def write_hours(hours: Availability) -> None:
    """The openings of a rule that is new. The caller holds the provider."""
    zones = InstalledZones()
    if (schedule := _current(hours.practitioner_id, zones)) is None:
        _whole(hours.practitioner_id, zones)
    else:
        _write_hours(hours, (seconds(now() - BEHIND), seconds(schedule.expanded_until)), zones)


def write_exception(exception: AvailabilityException, concerned: Sequence[UUID]) -> None:
    """What an exception that is new comes to for these providers. The caller holds them."""
    zones = InstalledZones()
    for practitioner_id in concerned:
        if _current(practitioner_id, zones) is None:
            _whole(practitioner_id, zones)
        else:
            _write_exception(exception, practitioner_id, zones)


def keep_still(*practitioners: UUID) -> None:
    """Keep everybody else from changing hours, and bookings from these providers, until the transaction ends."""
    lock(CLINIC)
    lock(*practitioners)


def _current(practitioner_id: UUID, zones: Zones) -> Schedule | None:
    return Schedule.objects.filter(practitioner_id=practitioner_id, tz_version=zones.version).first()


def _write_hours(hours: Availability, window: Span, zones: Zones) -> None:
    kinds = [kind.pk for kind in hours.visit_types.all()]
    _write(hours.practitioner_id, openings([hours.hours(zones)], window), True, kinds, Source.RULE, hours.pk)


def _write_exception(exception: AvailabilityException, practitioner_id: UUID, zones: Zones) -> None:
    span = exception.span(zones)
    if span is not None and span[1] > seconds(now() - BEHIND):
        opens, kinds = exception.kind == AvailabilityException.Kind.EXTRA, [kind.pk for kind in exception.visit_types.all()]
        _write(practitioner_id, [span], opens, kinds, Source.EXCEPTION, exception.pk)


def write_busy(practitioner_id: UUID, calendar_id: UUID, spans: Sequence[Span]) -> None:
    """What a calendar of the provider's says is taken, instead of what it said before. The caller holds the provider."""
    Opening.objects.filter(practitioner_id=practitioner_id, source=Source.CALENDAR, source_id=calendar_id).delete()
    _write(practitioner_id, spans, False, [], Source.CALENDAR, calendar_id)


def _write(practitioner_id: UUID, spans: Iterable[Span], opens: bool, kinds: Sequence[UUID], source: Source, source_id: UUID) -> None:
    begins, ends = zip(*pairs, strict=True) if (pairs := list(spans)) else ((), ())
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [practitioner_id, opens, source.value, source_id, list(begins), list(ends), list(kinds) or [None]])


def _window() -> Span:
    at = now()
    return seconds(at - BEHIND), seconds(at + horizon() + SPARE)
