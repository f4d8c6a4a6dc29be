from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Prefetch, Subquery, prefetch_related_objects

from audit.ledger import Actor
from scheduling.models import Appointment, AppointmentSeries, Occupancy
from scheduling.statuses import HOLDING
from telehealth.accounts.access import Action, Resource
from telehealth.core import one
from telehealth.records.access import visible
from telehealth.vault.models import SealedQuerySet


def appointments_for(
    by: Actor, *, since: datetime | None = None, until: datetime | None = None, status: str = ""
) -> SealedQuerySet[Appointment]:
    """The appointments this actor may see, those that touch the time between and stand so if given. Order is the caller's."""
    found = Appointment.objects.filter(visible(by, Action.SEARCH, Resource.APPOINTMENT))
    if since is not None:
        found = found.filter(ends_at__gt=since)
    if until is not None:
        found = found.filter(starts_at__lt=until)
    if status:
        found = found.filter(status=status)
    return with_holds(found.select_related("visit_type", "practitioner"))


def with_holds(found: SealedQuerySet[Appointment]) -> SealedQuerySet[Appointment]:
    """With `held_until` filled in."""
    rows = Occupancy.objects.filter(appointment=OuterRef("pk"), live=True)
    return found.annotate(held_until=Subquery(rows.values("held_until")[:1]))  # type: ignore[no-redef]  # declared there to be filled here


def appointment_for(by: Actor, pk: UUID) -> Appointment:
    """One appointment with its key, or Missing."""
    allowed = Appointment.objects.with_keys().filter(visible(by, Action.READ, Resource.APPOINTMENT))
    return one(with_holds(allowed.select_related("visit_type", "practitioner")), pk)


def series_of(by: Actor, series_id: UUID, action: Action = Action.ACT) -> SealedQuerySet[Appointment]:
    """The appointments of a series with which this actor may do that."""
    return Appointment.objects.filter(visible(by, action, Resource.APPOINTMENT), series_id=series_id)


def series_for(by: Actor, pk: UUID) -> AppointmentSeries:
    """A series with those of its `appointments` that this actor may see, in order of time; Missing where there are none."""
    mine = series_of(by, pk, Action.READ)
    found = one(AppointmentSeries.objects.filter(Exists(mine.filter(series=OuterRef("pk")))), pk)
    shown = with_holds(mine.select_related("visit_type", "practitioner")).order_by("starts_at")
    prefetch_related_objects([found], Prefetch("appointments", shown))
    return found


def stands_for(patient_id: UUID) -> bool:
    """For `RECORD_NEEDED_BY`: whether the patient has an appointment that is still to be kept. Says no more, and opens nothing."""
    return Appointment.objects.filter(patient_id=patient_id, status__in=HOLDING).exists()


def left_open(*, account_id: UUID, by: Actor) -> dict[str, int]:
    """For `LEAVERS`: how many appointments of this practitioner are still to be kept. Opens nothing."""
    return {"open_appointments": Appointment.objects.filter(practitioner__account_id=account_id, status__in=HOLDING).count()}
