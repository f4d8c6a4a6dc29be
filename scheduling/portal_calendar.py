"""The portal's calendar: a provider's day or week, and moving what stands in it by pointer, keyboard or form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from scheduling import board, selectors, services
from scheduling.portal import FARTHEST
from scheduling.portal import WORDS as BOOKING_WORDS
from scheduling.selectors.plan import Plan
from scheduling.statuses import Status
from telehealth.accounts.access import Action, Resource, Role
from telehealth.core.errors import Invalid
from telehealth.portal.errors import Words, is_fragment
from telehealth.portal.pages import Page
from telehealth.records.models import Practitioner

WORDS: Words = {
    **BOOKING_WORDS,
    "slot_taken": _("The provider has another appointment at that time. Nothing was moved."),
    "patient_busy": _("The patient has another appointment at that time. Nothing was moved."),
    "day_full": _("The provider has as many visits of this kind on that day as may be."),
    "appointment_status": _("As this appointment stands it cannot be moved."),
    "appointment_under_way": _("The patient is here already. Nothing was moved."),
    "not_licensed": _("The provider may not practise in the state where the patient will be on that day."),
    "patient_state_unknown": _("In which state will the patient be? Say so: the record does not tell."),
    "version_changed": _("Somebody has changed this appointment meanwhile. Look at it again."),
    "hold_expired": _("The time was held no longer. Look for another."),
    "too_many_holds": _("The patient has as many times held as may be at once."),
    "nothing_to_search": _("Enter something to look for."),
    "search_too_wide": _("Too many fit. Enter more."),
}
VIEWS = {"day": 1, "week": 7}
MOVABLE = (Status.BOOKED,)
MARKS = {  # what the states look like, beside their words
    Status.PENDING: "held",
    Status.BOOKED: "booked",
    Status.ARRIVED: "here",
    Status.CHECKED_IN: "here",
    Status.FULFILLED: "done",
    Status.NO_SHOW: "missed",
}


class WhereForm(forms.Form):
    """Whose calendar, from which day on, how many of them, and how much of each."""

    provider = forms.UUIDField(required=False)
    day = forms.DateField(required=False)
    view = forms.ChoiceField(choices=[(name, name) for name in VIEWS], required=False)
    hours = forms.ChoiceField(choices=[("all", "all")], required=False)

    def clean_day(self) -> date | None:
        """Near enough to be meant."""
        day: date | None = self.cleaned_data["day"]
        if day and abs(day - timezone.localdate()) > FARTHEST:
            raise forms.ValidationError("", code="invalid")
        return day


@dataclass(frozen=True)
class Where:
    """The same, found."""

    practitioner: Practitioner
    day: date
    view: str
    whole: bool

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.practitioner.timezone)

    @property
    def first(self) -> date:
        return self.day - timedelta(days=self.day.weekday()) if self.view == "week" else self.day

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(VIEWS[self.view])]

    def link(self, **changed: Any) -> str:
        """The address of this page, or of one beside it. It names a provider and a day, and nobody else."""
        asked = {"provider": self.practitioner.pk, "day": self.day, "view": self.view, "hours": "all" if self.whole else ""} | changed
        return f"{reverse('calendar')}?{urlencode({name: str(value) for name, value in asked.items() if value})}"


class CalendarPage(Page, abstract=True):
    """What all its parts share: where one is, and how it is drawn."""

    words = WORDS

    def where(self, asked: Mapping[str, Any]) -> Where | None:
        form = WhereForm({name: asked.get(name) for name in ("provider", "day", "view", "hours")})
        form.is_valid()  # what cannot be meant is as if it had not been said
        given = form.cleaned_data
        practitioner = selectors.calendar_of(self.by, given.get("provider"))
        if practitioner is None:
            return None
        today = timezone.localdate(timezone=ZoneInfo(practitioner.timezone))
        return Where(practitioner, given.get("day") or today, given.get("view") or "day", given.get("hours") == "all")

    def drawn(self, where: Where) -> dict[str, Any]:
        """Everything that the grid and the printed list show."""
        plan = selectors.plan_for(self.by, where.practitioner, where.first, VIEWS[where.view])
        step, back = timedelta(days=VIEWS[where.view]), timedelta(days=-VIEWS[where.view])
        return {
            "where": where,
            "providers": [] if self.by.role == Role.PROVIDER else list(selectors.calendars_for(self.by)),
            "desk": self.by.role == Role.FRONT_DESK,
            "own": self.by.role == Role.PROVIDER,
            "following": where.link(day=where.day + step),
            "previous": where.link(day=where.day + back),
            "today": where.link(day=""),
            "other_view": {name: where.link(view=name) for name in VIEWS},
            "whole_day": where.link(hours="" if where.whole else "all"),
            **grid(plan, where),
        }

    def grid(self, where: Where, **context: Any) -> HttpResponse:
        with timezone.override(where.zone):
            return self.show("scheduling/calendar_grid.html", **self.drawn(where), **context)


def grid(plan: Plan, where: Where) -> dict[str, Any]:
    """The days with what stands in them, in rows and lanes."""
    stands = [(each.starts_at, each.ends_at, shown(each)) for each in plan.appointments if each.group_visit_id is None]
    stands += [(each.starts_at, each.ends_at, {"group": each}) for each in plan.groups]
    away = [(starts, ends, None) for starts, ends in plan.closed]
    there = [(starts, ends, None) for starts, ends in plan.open]
    usual = (0, board.WHOLE_DAY) if where.whole else (_minutes(settings.CLINIC_OPENS), _minutes(settings.CLINIC_CLOSES))
    hours = board.hours_shown(where.days, where.zone, chain(stands), usual)
    current = timezone.now()
    days = []
    for date_ in where.days:
        day = board.Day(date_, date_ == current.astimezone(where.zone).date(), where.link(day=date_, view="day"))
        day.visits = board.in_lanes(board.place(stands, date_, where.zone, hours))
        day.open, day.closed = (board.place(spans, date_, where.zone, hours) for spans in (there, away))
        minute = board.minute_of(current, date_, where.zone)
        if day.is_today and hours.first <= minute < hours.last:
            day.now_row = (minute - hours.first) // board.STEP
        days.append(day)
    shortest = min((kind.minutes for kind in selectors.visit_types()), default=30)
    return {"days": days, "hours": hours, "first_minute": hours.first, "fine": shortest < 15, "offset": current.astimezone(where.zone)}


def shown(appointment: Any) -> dict[str, Any]:
    """An appointment with the words and marks of how it stands."""
    status = Status(appointment.status)
    return {
        "appointment": appointment,
        "mark": MARKS.get(status, "booked"),
        "word": _("Held") if status == Status.PENDING else status.label,
        "movable": status in MOVABLE,
        "snap": appointment.visit_type.step_minutes if appointment.visit_type.step_minutes < 15 else 15,
    }


def _minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute or 0)


class Calendar(CalendarPage):
    """The page; for htmx the grid alone."""

    access = (Action.SEARCH, Resource.WAITING_ROOM)
    template = "scheduling/calendar.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        where = self.where(request.GET)
        if where is None:
            return self.show(nobody=True)
        if is_fragment(request):
            return self.grid(where)
        with timezone.override(where.zone):
            return self.show(**self.drawn(where))


class LocalTime(forms.CharField):
    """A date and a time by the clocks of a zone that is known elsewhere: not Django's own, which refuses the two odd hours of the year."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": 300})

    def to_python(self, value: Any) -> Any:
        """Without a zone yet; near enough to be meant."""
        try:
            at = datetime.fromisoformat(str(value or ""))
        except ValueError as error:
            raise forms.ValidationError("", code="invalid") from error
        if at.tzinfo is not None or abs(at.date() - timezone.localdate()) > FARTHEST:
            raise forms.ValidationError("", code="invalid")
        return at

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else value


class MoveForm(forms.Form):
    """To when, by the provider's clocks, and to whom."""

    local = LocalTime(label=_("Date and time"))
    to = forms.UUIDField(required=False)
    version = forms.IntegerField(required=False)


class Move(CalendarPage):
    """Another time, another provider, or both. What does not fit is said in words, and everything stays where it was."""

    access = {"post": (Action.SEARCH, Resource.WAITING_ROOM)}

    def post(self, request: HttpRequest, appointment_id: UUID) -> HttpResponseBase:
        selectors.on_calendar(self.by, appointment_id)
        form = MoveForm(request.POST)
        where = self.where(request.POST)
        if where is None or not form.is_valid():
            raise Invalid
        given = form.cleaned_data
        to = selectors.calendar_of(self.by, given["to"]) if given["to"] else None
        moved = services.reschedule(
            appointment_id=appointment_id,
            starts_at=by_the_clock(given["local"], ZoneInfo(to.timezone) if to else where.zone),
            practitioner_id=to.pk if to else None,
            version=given["version"],
            by=self.by,
        )
        if not is_fragment(request):
            return HttpResponseRedirect(where.link())
        return self.grid(where, moved=moved)


def by_the_clock(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which that zone's clocks show it: of a doubled hour the first, a skipped one moved on (RFC 5545)."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)
