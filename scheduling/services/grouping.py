"""Visits of several: planned by staff, their places booked like any visit, called off for all at once."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.errors import GroupVisitOver, NotAGroup, UnderWay, VisitTypeOdd
from scheduling.models import Appointment, GroupVisit, Occupancy, VisitType
from scheduling.selectors.group_visits import coming
from scheduling.selectors.needs import first_free, suitable
from scheduling.selectors.offers import visit_type_of
from scheduling.selectors.starts import check_start
from scheduling.services.booking import everybody
from scheduling.services.cancelling import call_off
from scheduling.services.changing import freed, parties_of
from scheduling.services.expiring import release, sweep_expired_holds
from scheduling.services.occupying import occupy
from scheduling.services.telling import tell
from scheduling.services.wishes import provider
from scheduling.statuses import CancelReason, Status
from telehealth.core import lock, one, permit
from telehealth.records.models import Practitioner


@transaction.atomic
def plan_group_visit(*, practitioner_id: UUID, visit_type: str, starts_at: datetime, by: Actor, capacity: int | None = None) -> GroupVisit:
    """Take the provider's time, and what the kind needs, once for all who will come; else as booking refuses.

    NotAGroup for a kind with one patient; VisitTypeOdd for fewer than two places, or more than the kind has.
    """
    permit(by, rules.may_plan_group_visits, None)
    practitioner, kind = provider(practitioner_id), visit_type_of(visit_type)
    if kind.capacity < 2:
        raise NotAGroup()
    if not 2 <= (capacity or kind.capacity) <= kind.capacity:
        raise VisitTypeOdd()
    visit = _planned(practitioner, kind, starts_at, capacity or kind.capacity, by)
    record(by, Act.GROUP_VISIT_PLANNED, visit, detail={"practitioner": str(practitioner.pk)})
    return visit


def _planned(practitioner: Practitioner, kind: VisitType, starts_at: datetime, capacity: int, by: Actor) -> GroupVisit:
    wanted = suitable(kind, None)
    parties = everybody(wanted, practitioner.pk)
    lock(*parties)
    sweep_expired_holds(*parties)
    check_start(kind, practitioner, starts_at)
    ends_at = starts_at + timedelta(minutes=kind.minutes)
    visit = GroupVisit.objects.create(
        practitioner=practitioner, visit_type=kind, starts_at=starts_at, ends_at=ends_at, capacity=capacity, created_by=by.id
    )
    occupy(visit, first_free(wanted, starts_at, ends_at))
    return visit


@transaction.atomic
def cancel_group_visit(*, group_visit_id: UUID, reason: str, by: Actor) -> GroupVisit:
    """Call it off for everybody: each is told, the provider's time is free. UnderWay once somebody has arrived: then nobody's is."""
    permit(by, rules.may_cancel_group_visits, None)
    lock(one(GroupVisit.objects.only("pk"), group_visit_id).pk)
    appointments = _all_locked(group_visit_id)
    visit = GroupVisit.objects.select_for_update(of=("self",)).select_related("visit_type", "practitioner").get(pk=group_visit_id)
    if visit.is_cancelled:
        raise GroupVisitOver()
    for each in appointments:
        _without_them(each, CancelReason(reason), by)
    visit.is_cancelled = True
    visit.save(update_fields=["is_cancelled"])
    Occupancy.objects.filter(group_visit=visit, live=True).update(live=False)
    record(by, Act.GROUP_VISIT_CANCELLED, visit, reason=reason)
    freed()
    return visit


def _all_locked(group_visit_id: UUID) -> list[Appointment]:
    """Nobody books a place meanwhile: that takes the group visit's lock first."""
    ids = list(coming(group_visit_id).values_list("pk", flat=True))
    lock(*ids)
    lock(*parties_of(*ids))
    rows = Appointment.objects.select_for_update(of=("self",)).select_related("visit_type", "patient", "practitioner")
    return list(rows.filter(pk__in=coming(group_visit_id).values("pk")).order_by("pk"))


def _without_them(appointment: Appointment, reason: CancelReason, by: Actor) -> None:
    if appointment.status == Status.PENDING:
        return release(appointment, reason, by=by)
    if appointment.status != Status.BOOKED:
        raise UnderWay()
    call_off(appointment, reason, by=by)
    return tell(appointment, "appointment_cancelled")
