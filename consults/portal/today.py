"""Today's list with the live waiting room."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from consults import rules, selectors, services
from consults.models import Visit
from consults.portal.words import WORDS
from telehealth.accounts.access import Action, Resource, Role
from telehealth.accounts.access_fields import fields
from telehealth.portal.pages import Page


class Listing(Page, abstract=True):
    """What a row shows depends on who looks: only providers conduct, and only their own visits."""

    words = WORDS

    def common(self) -> dict[str, Any]:
        own = self.by.role == Role.PROVIDER
        return {"own": own, "may_act": own, "may_open": own, "clinical": "reason" in fields(self.by.role, Resource.WAITING_ROOM)}


class Today(Listing):
    """The whole page."""

    access = (Action.SEARCH, Resource.WAITING_ROOM)
    template = "consults/today.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(appointments=selectors.day_for(self.by), **self.common())


class TodayList(Today):
    """The list alone, fetched anew when changes may have been missed."""

    template = "consults/today_list.html"


class TodayRow(Listing):
    """One visit's row, to take the place of the one on the page."""

    access = (Action.SEARCH, Resource.WAITING_ROOM)
    template = "consults/today_row.html"

    def get(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        visit = selectors.visit_for(self.by, visit_id)
        return self.show(appointment=visit.appointment, oob=True, **self.common())


class LivePart(Page, abstract=True):
    """The live part of a row: state and acts, nothing of the patient."""

    template = "consults/waiting.html"
    words = WORDS

    def part(self, visit: Visit) -> HttpResponse:
        mine = rules.may_conduct(self.by, visit)
        return self.show(visit=visit, may_act=mine, may_open=mine)


class VisitWaiting(LivePart):
    access = (Action.SEARCH, Resource.WAITING_ROOM)

    def get(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        return self.part(selectors.visit_for(self.by, visit_id))


class Admit(LivePart):
    access = (Action.ACT, Resource.WAITING_ROOM)

    def post(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        return self.part(services.admit(visit_id=visit_id, by=self.by))


class Hold(LivePart):
    access = (Action.ACT, Resource.WAITING_ROOM)

    def post(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        return self.part(services.hold(visit_id=visit_id, by=self.by))
