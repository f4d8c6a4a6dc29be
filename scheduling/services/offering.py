"""What can be booked and when: visit types and weekly hours. Administrators' work."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.errors import HoursEmpty, UnknownPractitioner, UnknownTimezone, VisitTypeOdd
from scheduling.hours import ZONES
from scheduling.models import Availability, VisitType
from telehealth.core import one, permit
from telehealth.records.models import Practitioner


@transaction.atomic
def define_visit_type(*, code: str, name: str, minutes: int, by: Actor, step_minutes: int | None = None, **rest: Any) -> VisitType:
    """A new kind of visit, its starts offered every `step_minutes` (else one after the other). VisitTypeOdd as the database says."""
    permit(by, rules.may_define_visit_types, None)
    kind = VisitType(code=code, name=name, minutes=minutes, step_minutes=step_minutes or minutes, **rest)
    _save(kind)
    record(by, Act.VISIT_TYPE_DEFINED, kind)
    return kind


@transaction.atomic
def change_visit_type(*, visit_type_id: UUID, changes: Mapping[str, Any], by: Actor) -> VisitType:
    """What is booked already keeps its times; the code never changes."""
    permit(by, rules.may_define_visit_types, None)
    kind = one(VisitType.objects.select_for_update(), visit_type_id)
    for name in changes.keys() - {"id", "code"}:
        setattr(kind, name, changes[name])
    _save(kind)
    record(by, Act.VISIT_TYPE_CHANGED, kind, detail={"fields": ",".join(sorted(changes))})
    return kind


def _save(kind: VisitType) -> None:
    try:
        with transaction.atomic():
            kind.save()
    except IntegrityError as violation:
        raise VisitTypeOdd() from violation


@transaction.atomic
def open_hours(
    *,
    practitioner_id: UUID,
    weekday: int,
    starts: time,
    ends: time,
    timezone: str,
    by: Actor,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> Availability:
    """The provider is there every `weekday` (Monday is 0) between these times of that zone; `ends` 00:00 is the day's end."""
    permit(by, rules.may_set_hours, None)
    if timezone not in ZONES:
        raise UnknownTimezone()
    if not Practitioner.objects.filter(pk=practitioner_id).exclude(account_id=None).exists():
        raise UnknownPractitioner()
    hours = Availability(
        practitioner_id=practitioner_id,
        weekday=weekday,
        starts=starts,
        ends=ends,
        timezone=timezone,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    try:
        with transaction.atomic():
            hours.save()
    except IntegrityError as violation:
        raise HoursEmpty() from violation
    record(by, Act.HOURS_OPENED, hours, detail={"practitioner": str(practitioner_id)})
    return hours


@transaction.atomic
def close_hours(*, availability_id: UUID, by: Actor) -> None:
    """No longer offered. What is booked in it stays booked."""
    permit(by, rules.may_set_hours, None)
    hours = one(Availability.objects.select_for_update(), availability_id)
    record(by, Act.HOURS_CLOSED, hours, detail={"practitioner": str(hours.practitioner_id)})
    hours.delete()
