"""One provider's days as the portal's calendar shows them: what stands, when they are there, and when they are not."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet

from audit.ledger import Actor
from scheduling.models import Appointment, GroupVisit, Opening
from scheduling.selectors.appointments import appointments_for
from scheduling.spans import Span, merged, moment, seconds
from scheduling.statuses import Status
from telehealth.accounts.access import Action, Resource, Role
from telehealth.core import one
from telehealth.records.access import visible
from telehealth.records.models import Practitioner
from telehealth.records.selectors import practitioners

UNSHOWN = (Status.CANCELLED, Status.ENTERED_IN_ERROR, Status.PROPOSED, Status.WAITLIST)
Open = tuple[datetime, datetime]


@dataclass(frozen=True)
class Plan:
    """What stands in the window, when the provider is there, and when they are away though they usually would be."""

    appointments: list[Appointment]
    groups: list[GroupVisit]
    open: list[Open]
    closed: list[Open]


def calendars_for(by: Actor) -> QuerySet[Practitioner]:
    """Whose calendar this actor may look at: a provider's own, everybody's for the nurses and the front desk."""
    found = practitioners().order_by("family", "given", "pk")
    return found.filter(account_id=by.id) if by.role == Role.PROVIDER else found


def calendar_of(by: Actor, practitioner_id: UUID | None) -> Practitioner | None:
    """The one asked for, or Missing; without a wish the first. None where there is none at all."""
    found = calendars_for(by)
    return one(found, practitioner_id) if practitioner_id else found.first()


def plan_for(by: Actor, practitioner: Practitioner, first: date, days: int) -> Plan:
    """From the first of these days' midnight, by the provider's clocks, to the last one's end."""
    zone = ZoneInfo(practitioner.timezone)
    since, until = (datetime.combine(first + timedelta(days=n), time.min, zone) for n in (0, days))
    rows = appointments_for(by, since=since, until=until).filter(visible(by, Action.SEARCH, Resource.WAITING_ROOM))
    rows = rows.filter(practitioner=practitioner).exclude(status__in=UNSHOWN)
    groups = GroupVisit.objects.filter(practitioner=practitioner, starts_at__lt=until, ends_at__gt=since, is_cancelled=False)
    there, away = _hours(practitioner.pk, since, until)
    return Plan(
        list(rows.prefetch_related("patient").order_by("starts_at", "pk")),
        list(groups.select_related("visit_type").order_by("starts_at", "pk")),
        there,
        away,
    )


def _hours(practitioner_id: UUID, since: datetime, until: datetime) -> tuple[list[Open], list[Open]]:
    """When hours open for any kind of visit, and what closes them for all."""
    during = DateTimeTZRange(since, until)
    rows = Opening.objects.filter(practitioner_id=practitioner_id, during__overlap=during).values_list("opens", "visit_type_id", "during")
    spans: dict[bool, list[Span]] = {True: [], False: []}
    for opens, kind, span in rows:
        if opens or kind is None:
            spans[opens].append((seconds(span.lower), seconds(span.upper)))
    there, away = ([(moment(start), moment(end)) for start, end in merged(spans[opens])] for opens in (True, False))
    return there, away


def on_calendar(by: Actor, appointment_id: UUID) -> Appointment:
    """One appointment of a calendar that this actor may look at, or Missing."""
    allowed = appointments_for(by).filter(visible(by, Action.SEARCH, Resource.WAITING_ROOM))
    return one(allowed.select_related("patient"), appointment_id)
