"""Visits of several, as they are planned: whose time, when, and how many places are left. Who comes is not said here."""

from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from scheduling.models import Appointment, GroupVisit, Occupancy, VisitType
from scheduling.statuses import HOLDING, Status
from telehealth.core import now, one


def group_visits(*, since: datetime | None = None, until: datetime | None = None, visit_type: str = "") -> QuerySet[GroupVisit]:
    """Those that touch the time between, those called off among them, with `places_left`. Open to everybody who is signed in."""
    left = F("capacity") - Coalesce(_taken(), 0)
    found = GroupVisit.objects.annotate(places_left=left).select_related("visit_type", "practitioner")  # type: ignore[no-redef]  # declared there to be filled here
    if since is not None:
        found = found.filter(ends_at__gt=since)
    if until is not None:
        found = found.filter(starts_at__lt=until)
    return found.filter(visit_type__code=visit_type) if visit_type else found


def group_visit(pk: UUID) -> GroupVisit:
    """One of them, or Missing."""
    return one(group_visits(), pk)


def planned(kind: VisitType, practitioner_id: UUID, starts_at: datetime) -> GroupVisit | None:
    """The one that this provider holds then."""
    return GroupVisit.objects.filter(visit_type=kind, practitioner_id=practitioner_id, starts_at=starts_at, is_cancelled=False).first()


def coming(group_visit_id: UUID) -> QuerySet[Appointment]:
    """The appointments that stand in it."""
    return Appointment.objects.filter(group_visit_id=group_visit_id, status__in=HOLDING)


def _taken() -> Subquery:
    """Places that are taken; holds that ran out take none."""
    ran_out = Occupancy.objects.filter(appointment=OuterRef("pk"), live=True, held_until__lte=now())
    stand = Appointment.objects.filter(group_visit=OuterRef("pk"), status__in=HOLDING)
    stand = stand.exclude(Q(status=Status.PENDING) & Q(pk__in=ran_out.values("appointment")))
    return Subquery(stand.order_by().values("group_visit").annotate(n=Count("pk")).values("n"), output_field=IntegerField())
