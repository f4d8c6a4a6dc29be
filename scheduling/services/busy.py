"""Calendars elsewhere whose busy times close a provider's hours: told of, forgotten, looked at again and again."""

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from audit.ledger import Act, Actor, EntryNotWritten, record
from scheduling import rules
from scheduling.elsewhere import busy_times
from scheduling.errors import TooManyCalendars
from scheduling.models import BusyCalendar, BusyState
from scheduling.selectors.calendars import busy_calendars_for
from scheduling.services.hours import set_busy
from scheduling.spans import Span, moment
from telehealth.accounts.access import Action
from telehealth.core import now, one, permit
from telehealth.core.errors import Missing, Unavailable
from telehealth.core.outbound import AddressRefused, NotFetched, fetch, judged
from telehealth.records.models import Practitioner
from telehealth.records.selectors import practitioner_of

log = structlog.get_logger(__name__)
MOST_CALENDARS = 5
MOST_AT_ONCE = 50  # in one round of the task
EVERY = timedelta(minutes=15)
WHOLE_AGAIN = timedelta(hours=24)  # though the other side says that nothing has changed: the window has moved on
BEHIND, AHEAD = timedelta(days=1), timedelta(days=400)
KINDS = ("text/calendar",)


@transaction.atomic
def add_busy_calendar(*, url: str, by: Actor) -> BusyCalendar:
    """One's own hours are closed by what is busy there, from the next look on. AddressRefused for what is never asked,
    our own feeds among it; TooManyCalendars."""
    permit(by, rules.may_read_calendars, None)
    practitioner = practitioner_of(by.id)
    if practitioner is None:
        raise Missing(kind="records.Practitioner")
    address = "https" + url.removeprefix("webcal") if url.startswith("webcal://") else url
    if judged(address).host == urlsplit(settings.PUBLIC_URL).hostname:
        raise AddressRefused()
    Practitioner.objects.select_for_update().get(pk=practitioner.pk)
    if BusyCalendar.objects.filter(practitioner=practitioner).count() >= MOST_CALENDARS:
        raise TooManyCalendars()
    added = BusyCalendar.objects.create(practitioner=practitioner, url=address, created_by=by.id)
    record(by, Act.CALENDAR_ADDED, added, detail={"practitioner": str(practitioner.pk)})
    return added


@transaction.atomic
def remove_busy_calendar(*, calendar_id: UUID, by: Actor) -> None:
    """No longer looked at; the time that it closed is open again."""
    held = one(busy_calendars_for(by, Action.DELETE).select_for_update(of=("self",)), calendar_id)
    set_busy(practitioner_id=held.practitioner_id, calendar_id=held.pk, spans=(), by=by)
    record(by, Act.CALENDAR_REMOVED, held, detail={"practitioner": str(held.practitioner_id)})
    held.delete()


@transaction.atomic
def end_busy_calendars(*, account_id: UUID, by: Actor) -> dict[str, int]:
    """For `LEAVERS`: nothing is read any more for who has left."""
    held = list(BusyCalendar.objects.select_for_update(of=("self",)).filter(practitioner__account_id=account_id))
    for each in held:
        set_busy(practitioner_id=each.practitioner_id, calendar_id=each.pk, spans=(), by=by)
        record(by, Act.CALENDAR_REMOVED, each, detail={"practitioner": str(each.practitioner_id)})
        each.delete()
    return {"busy_calendars": len(held)}


def read_busy_calendars(*, by: Actor, most: int = MOST_AT_ONCE) -> int:
    """Look at those that are due, each in transactions of its own; how many. Whatever one of them says holds up no other."""
    for looked in range(most):
        with transaction.atomic():
            found = _lease()
        if found is None:
            return looked
        _note(found.pk, *_looked_at(found), by=by)
    return most


def _lease() -> BusyCalendar | None:
    """The one that has waited longest, ours for a while: a worker that dies over it has not looked."""
    due = Q(checked_at=None) | Q(checked_at__lte=now() - EVERY)
    found = BusyCalendar.objects.select_for_update(skip_locked=True, of=("self",)).select_related("practitioner").filter(due)
    first = found.order_by(F("checked_at").asc(nulls_first=True)).first()
    if first:
        first.checked_at = now()
        first.save(update_fields=["checked_at"])
    return first


Seen = tuple[BusyState, list[Span] | None, str]
"""How it ended, the spans if there are new ones, and the mark by which the next look asks whether anything has changed."""


def _looked_at(calendar: BusyCalendar) -> Seen:
    try:
        return _seen(calendar)
    except (EntryNotWritten, Unavailable):
        raise  # ours to mend, and nothing may be opened meanwhile
    except Exception as fault:  # noqa: BLE001 - one calendar must not keep the others from being read
        log.error("a calendar could not be looked at", object_id=calendar.pk, error=type(fault).__name__)
        return BusyState.BROKEN, None, ""


def _seen(calendar: BusyCalendar) -> Seen:
    """What is there now. Nothing of it is kept but times; no transaction is open meanwhile."""
    current = now()
    fresh = calendar.state == BusyState.READ and calendar.read_at is not None and current - calendar.read_at < WHOLE_AGAIN
    try:
        fetched = fetch(calendar.url, accept=KINDS, etag=calendar.etag if fresh else "")
    except AddressRefused:
        return BusyState.REFUSED, None, ""
    except NotFetched as why:
        return (BusyState.TOO_BIG if why.reason == "too_large" else BusyState.UNREACHABLE), None, ""
    if fetched.unchanged:
        return BusyState.READ, None, calendar.etag
    state, spans = busy_times(fetched.body, calendar.practitioner.timezone, current - BEHIND, current + AHEAD)
    return state, spans if state == BusyState.READ else None, fetched.etag


@transaction.atomic
def _note(calendar_id: UUID, state: BusyState, spans: list[Span] | None, etag: str, *, by: Actor) -> None:
    """Keep what was seen, unless the calendar was removed meanwhile. Without new spans the last ones stay."""
    held = BusyCalendar.objects.select_for_update(of=("self",)).filter(pk=calendar_id).first()
    if held is None:
        return
    if state != held.state:
        record(by, Act.CALENDAR_CHECKED, held, reason=state, detail={"practitioner": str(held.practitioner_id)})
    held.state, held.checked_at = state, now()
    if state == BusyState.READ:
        held.etag = etag
    if spans is not None:
        times = [(moment(start), moment(end)) for start, end in spans]
        set_busy(practitioner_id=held.practitioner_id, calendar_id=held.pk, spans=times, by=by)
        held.spans, held.read_at = len(times), held.checked_at
    held.save(update_fields=["state", "etag", "checked_at", "read_at", "spans"])
