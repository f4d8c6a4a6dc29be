"""Series of appointments: all of them or none, and the rest of them called off in one act."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from audit.ledger import Act, Actor, record
from scheduling.errors import SeriesClash, SeriesOdd
from scheduling.models import Appointment, AppointmentSeries
from scheduling.selectors.appointments import series_of
from scheduling.selectors.needs import Suitable, suitable
from scheduling.series import starts_of
from scheduling.services.booking import everybody, put
from scheduling.services.cancelling import call_off
from scheduling.services.changing import parties_of
from scheduling.services.telling import care_for, tell
from scheduling.services.wishes import Wish, check_offered, checked, wish
from scheduling.statuses import CancelReason, Status
from telehealth.core import lock, now
from telehealth.core.errors import Conflict, Invalid, Missing


@transaction.atomic
def book_series(
    *,
    patient_id: UUID,
    practitioner_id: UUID,
    visit_type: str,
    starts_at: datetime,
    rule: str,
    by: Actor,
    reason: str = "",
    state: str = "",
) -> AppointmentSeries:
    """Book every visit of the rule (RFC 5545, by the provider's clocks, at most 52) or none: SeriesClash lists each that cannot be.

    Each is an appointment of its own, moved and cancelled by itself. The patient is told once.
    """
    asked = wish(
        patient_id=patient_id,
        practitioner_id=practitioner_id,
        visit_type=visit_type,
        starts_at=starts_at,
        by=by,
        reason=reason,
        state=state,
    )
    if asked.group:
        raise SeriesOdd()
    starts = starts_of(rule, starts_at, ZoneInfo(asked.practitioner.timezone))
    series = AppointmentSeries.objects.create(rule=rule.strip().upper(), created_by=by.id)
    made = _all_or_none(replace(asked, series=series), starts)
    for each in made:
        record(by, Act.APPOINTMENT_BOOKED, each, detail={"practitioner": str(each.practitioner_id), "series": str(series.pk)})
        care_for(each, by, is_new=True)
    tell(made[0], "appointment_booked")
    record(by, Act.APPOINTMENT_SERIES_BOOKED, series, record_id=asked.patient.pk, detail={"appointments": len(made)})
    return series


def _all_or_none(asked: Wish, starts: list[datetime]) -> list[Appointment]:
    wanted = suitable(asked.kind, asked.patient)
    parties = everybody(wanted, asked.patient.pk, asked.practitioner.pk)
    lock(*parties)
    tried = [_tried(replace(asked, starts_at=start), wanted) for start in starts]
    clashes = [each for each in tried if isinstance(each, dict)]
    if clashes:
        raise SeriesClash(reply={"clashes": clashes})
    return [each for each in tried if isinstance(each, Appointment)]


def _tried(asked: Wish, wanted: Suitable) -> Appointment | dict[str, Any]:
    """The one domain error that is caught below the faces: what it says of one visit is a line of what is said of all."""
    try:
        with transaction.atomic():
            allowed = checked(asked)
            check_offered(allowed)
            return put(allowed, wanted)
    except (Conflict, Invalid) as error:
        return {"starts_at": asked.starts_at.isoformat().replace("+00:00", "Z"), "code": error.code}


@transaction.atomic
def cancel_series(
    *, series_id: UUID, by: Actor, reason: str = CancelReason.SERIES, note: str = "", since: datetime | None = None
) -> list[Appointment]:
    """Call off what is still booked of it, from `since` (else now) on: all of that or, where one is TooLateToCancel, none.

    The patient is told once. A repeat finds nothing left. Missing for who may not act on any of them.
    """
    mine = series_of(by, series_id)
    ids = list(mine.values_list("pk", flat=True))
    if not ids:
        raise Missing(series=series_id)
    lock(*ids)
    lock(*parties_of(*ids))
    rest = Appointment.objects.select_for_update(of=("self",)).select_related("visit_type", "patient", "practitioner")
    found = list(rest.filter(pk__in=ids, status=Status.BOOKED, starts_at__gte=since or now()).order_by("starts_at"))
    for each in found:
        call_off(each, CancelReason(reason), by=by, note=note)
    if found:
        tell(found[0], "appointment_cancelled")
        record(by, Act.APPOINTMENT_SERIES_CANCELLED, found[0].series, record_id=found[0].patient_id, reason=reason)
    return found
