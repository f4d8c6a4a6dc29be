"""Calendars elsewhere whose busy times close a provider's hours: told of, forgotten, looked at again and again."""

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.ledger import Act, Actor, record
from scheduling import rules
from scheduling.errors import TooManyCalendars
from scheduling.models import BusyCalendar
from scheduling.selectors.calendars import busy_calendars_for
from telehealth.accounts.access import Action
from telehealth.core import one, permit
from telehealth.core.errors import Missing
from telehealth.core.outbound import AddressRefused, judged
from telehealth.records.models import Practitioner
from telehealth.records.selectors import practitioner_of

MOST_CALENDARS = 5


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
    record(by, Act.CALENDAR_REMOVED, held, detail={"practitioner": str(held.practitioner_id)})
    held.delete()
