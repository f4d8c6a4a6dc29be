"""Beside the calendar: one appointment with what can be done, and booking for a caller, step by step."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from scheduling import selectors, services
from scheduling.models import Appointment
from scheduling.portal_calendar import CalendarPage, LocalTime, MoveForm, Where, by_the_clock, shown
from scheduling.statuses import OverbookCode
from telehealth.accounts.access import Action, Resource
from telehealth.core import now
from telehealth.core.errors import DomainError, Invalid
from telehealth.portal.errors import sentence_of, status_of
from telehealth.records.portal.desk import SearchForm
from telehealth.records.selectors import patient_shown
from telehealth.records.services import search_patients

CHANGED = "calendar-changed"  # the grid listens, and is drawn anew
CALLERS = (Action.CREATE, Resource.INVITATION)  # who talks with patients at the desk


class Panel(CalendarPage, abstract=True):
    """A fragment beside the grid, which is told when something has changed."""

    def there(self, request: HttpRequest) -> Where:
        """The calendar on which this was asked for: by its address, which htmx sends along, or as a form says it."""
        beside = dict(parse_qsl(urlsplit(request.headers.get("HX-Current-URL", "")).query))
        where = self.where({**beside, **request.GET.dict(), **request.POST.dict()})
        if where is None:
            raise Invalid
        return where

    def panel(self, template: str, where: Where, *, changed: bool = False, **context: Any) -> HttpResponse:
        with timezone.override(where.zone):
            response = self.show(template, where=where, **context)
        if changed:
            response["HX-Trigger"] = CHANGED
        return response


class VisitPanel(Panel, abstract=True):
    """One appointment: who, when, how it stands, and moving it without a drag."""

    def about(self, request: HttpRequest, found: Appointment, **context: Any) -> HttpResponse:
        where = self.there(request)
        local = found.starts_at.astimezone(ZoneInfo(found.practitioner.timezone)).replace(tzinfo=None)
        form = MoveForm(initial={"local": local})
        facts = {**shown(found), "form": form, "providers": list(selectors.calendars_for(self.by)), **context}
        return self.panel("scheduling/calendar_visit.html", where, **facts)


class Visit(VisitPanel):
    """Asked for by a press on its block."""

    access = (Action.SEARCH, Resource.WAITING_ROOM)

    def get(self, request: HttpRequest, appointment_id: UUID) -> HttpResponse:
        return self.about(request, selectors.on_calendar(self.by, appointment_id))


class Confirm(VisitPanel):
    """What was held for the caller is booked."""

    access = {"post": (Action.SEARCH, Resource.WAITING_ROOM)}

    def post(self, request: HttpRequest, appointment_id: UUID) -> HttpResponse:
        selectors.on_calendar(self.by, appointment_id)
        services.confirm(appointment_id=appointment_id, by=self.by)
        return self.about(request, selectors.on_calendar(self.by, appointment_id), changed=True, said=_("Booked."))


class Release(Panel):
    """What was held is let go: the caller thinks it over."""

    access = {"post": (Action.SEARCH, Resource.WAITING_ROOM)}

    def post(self, request: HttpRequest, appointment_id: UUID) -> HttpResponse:
        selectors.on_calendar(self.by, appointment_id)
        services.release_hold(appointment_id=appointment_id, by=self.by)
        return self.panel("scheduling/calendar_done.html", self.there(request), changed=True, said=_("Let go: the time is free again."))


class AtForm(forms.Form):
    """The time that the caller would like, by the provider's clocks."""

    local = LocalTime(label=_("Date and time"))


class Find(Panel):
    """First the time, then who calls: the desk's own search."""

    access = CALLERS

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.asked(request, SearchForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SearchForm(request.POST)
        if not form.is_valid():
            return self.asked(request, form)
        given = {name: str(value) for name, value in form.cleaned_data.items() if value}
        try:
            found = search_patients(by=self.by, **given)
        except DomainError as error:
            form.add_error(None, str(sentence_of(error, self.words)))
            return self.asked(request, form, status=status_of(error))
        return self.asked(request, form, found=found, searched=True)

    def asked(self, request: HttpRequest, form: SearchForm, **context: Any) -> HttpResponse:
        where = self.there(request)
        at = AtForm({"local": request.GET.get("local") or request.POST.get("local") or ""})
        at = at if at.is_valid() else AtForm(initial={"local": _next_quarter(where)})
        return self.panel("scheduling/calendar_find.html", where, form=form, at=at, **context)


class BookForm(forms.Form):
    """When, what for, and where the patient will be; and why, if the provider is not free then."""

    local = LocalTime(label=_("Date and time"))
    visit_type = forms.ChoiceField(label=_("Kind of visit"))
    reason = forms.CharField(label=_("Reason for the visit"), max_length=500, required=False)
    state = forms.CharField(
        label=_("State where the patient will be"), max_length=2, required=False, help_text=_("Two letters; empty: as in the record.")
    )
    code = forms.ChoiceField(label=_("Why although the provider is not free"), required=False, choices=[("", "–"), *OverbookCode.choices])
    why = forms.CharField(label=_("In words"), max_length=500, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(kind.code, kind.name) for kind in selectors.visit_types().order_by("minutes", "name")]
        self.fields["visit_type"] = forms.ChoiceField(label=_("Kind of visit"), choices=kinds)

    def clean(self) -> dict[str, Any]:
        """A code of overbooking and its words come together."""
        given: dict[str, Any] = super().clean() or {}
        if bool(given.get("code")) != bool(given.get("why")):
            self.add_error("why", _("An overbooking needs a code and a reason in words."))
        return given

    @property
    def wish(self) -> dict[str, Any]:
        """As the services take it."""
        given = self.cleaned_data
        return {"visit_type": given["visit_type"], "reason": given["reason"], "state": given["state"].upper()}

    @property
    def overbooking(self) -> services.Overbooking | None:
        given = self.cleaned_data
        return services.Overbooking(given["code"], given["why"]) if given["code"] else None


class Book(VisitPanel):
    """Last what for: booked at once, or held for some minutes while the caller looks for a calendar of their own."""

    access = CALLERS

    def get(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        where = self.there(request)
        at = AtForm({"local": request.GET.get("local", "")})
        local = at.cleaned_data["local"] if at.is_valid() else _next_quarter(where)
        return self.asked(where, patient_id, BookForm(initial={"local": local}))

    def post(self, request: HttpRequest, patient_id: UUID) -> HttpResponse:
        where, form = self.there(request), BookForm(request.POST)
        if not form.is_valid():
            return self.asked(where, patient_id, form)
        try:
            made = self.made(where, patient_id, form, hold="hold" in request.POST)
        except DomainError as error:
            form.add_error(None, str(sentence_of(error, self.words)))
            return self.asked(where, patient_id, form, status=status_of(error))
        return self.about(
            request, selectors.on_calendar(self.by, made.pk), changed=True, said=_("Held.") if "hold" in request.POST else _("Booked.")
        )

    def made(self, where: Where, patient_id: UUID, form: BookForm, *, hold: bool) -> Appointment:
        starts_at = by_the_clock(form.cleaned_data["local"], where.zone)
        asked = {"patient_id": patient_id, "practitioner_id": where.practitioner.pk, "starts_at": starts_at, **form.wish}
        if hold:
            return services.hold(**asked, until=now() + timedelta(minutes=settings.HOLD_MINUTES), by=self.by)
        return services.book(**asked, overbooking=form.overbooking, by=self.by)

    def asked(self, where: Where, patient_id: UUID, form: BookForm, status: int = 200) -> HttpResponse:
        patient = patient_shown(self.by, patient_id)
        return self.panel("scheduling/calendar_book.html", where, form=form, patient=patient, minutes=settings.HOLD_MINUTES, status=status)


def _next_quarter(where: Where) -> datetime:
    """The next quarter of an hour, on the day that is looked at when that is still to come."""
    current = timezone.now().astimezone(where.zone).replace(second=0, microsecond=0, tzinfo=None)
    soon = current + timedelta(minutes=15 - current.minute % 15)
    return soon if where.day <= soon.date() else datetime.combine(where.day, datetime.min.time()).replace(hour=9)
