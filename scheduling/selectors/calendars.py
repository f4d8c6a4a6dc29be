"""Calendars that go out and that come in: a provider's own, and the times that a feed tells."""

from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet

from audit.ledger import Actor
from scheduling.ical import Event
from scheduling.models import Appointment, BusyCalendar, CalendarFeed, GroupVisit
from scheduling.statuses import Status
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.accounts.models import User
from telehealth.core import now

BEHIND, AHEAD = timedelta(days=30), timedelta(days=180)
UNTOLD = (Status.ENTERED_IN_ERROR, Status.PROPOSED, Status.WAITLIST)


def feeds_for(by: Actor) -> QuerySet[CalendarFeed]:
    """Feeds in use: one's own, or all for whom the table gives them."""
    return _theirs(by, CalendarFeed.objects.filter(revoked_at=None), Action.SEARCH)


def feed_to_revoke(by: Actor) -> QuerySet[CalendarFeed]:
    return _theirs(by, CalendarFeed.objects.filter(revoked_at=None), Action.DELETE)


def busy_calendars_for(by: Actor, action: Action = Action.SEARCH) -> QuerySet[BusyCalendar]:
    """Calendars whose busy times are read: one's own, or all for whom the table gives them."""
    return _theirs(by, BusyCalendar.objects.all(), action)


def _theirs(by: Actor, rows: QuerySet, action: Action) -> QuerySet:  # type: ignore[type-arg]
    held = granted(by, action, Resource.CALENDAR)
    if Scope.ALL in held:
        return rows
    return rows.filter(practitioner__account_id=by.id) if Scope.OWN in held and by.id else rows.none()


def invited(appointment_id: UUID) -> tuple[Event, str] | None:
    """An appointment as a calendar says it, and the address of the patient's account; None where there is neither. Opens no record."""
    columns = ("pk", "sequence", "starts_at", "ends_at", "created_at", "status", "patient__account_id")
    row = Appointment.objects.filter(pk=appointment_id).exclude(status__in=UNTOLD).values_list(*columns).first()
    account = User.objects.filter(pk=row[-1]).first() if row else None
    return (Event(*row[:-1]), account.email) if row and account else None


def events_of(practitioner_id: UUID) -> list[Event]:
    """A provider's time from thirty days ago to half a year on, in order; a group visit once. Opens nothing."""
    current = now()
    window = {"practitioner_id": practitioner_id, "ends_at__gt": current - BEHIND, "starts_at__lt": current + AHEAD}
    alone = Appointment.objects.filter(group_visit=None, **window).exclude(status__in=UNTOLD)
    columns = ("pk", "sequence", "starts_at", "ends_at", "created_at", "status")
    events = [Event(*row) for row in alone.values_list(*columns)]
    for pk, starts, ends, made, cancelled in GroupVisit.objects.filter(**window).values_list(
        "pk", "starts_at", "ends_at", "created_at", "is_cancelled"
    ):
        events.append(Event(pk, int(cancelled), starts, ends, made, Status.CANCELLED if cancelled else Status.BOOKED))
    return sorted(events, key=lambda event: (event.starts_at, event.id))
