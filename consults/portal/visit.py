"""The provider's page of one visit: a shell whose slots other apps fill, and the fragments of our own."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from consults import rules, selectors, services
from consults.models import Visit
from consults.portal.words import WORDS
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.access_fields import fields
from telehealth.core import permit
from telehealth.portal.pages import Page, ShellPage


class VisitPage(ShellPage):
    """Opened by the visit's own provider; the fragments ask again for themselves."""

    access = (Action.ACT, Resource.WAITING_ROOM)
    shell = "visit"
    template = "consults/visit.html"
    words = WORDS

    def get(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        visit = selectors.visit_for(self.by, visit_id)
        permit(self.by, rules.may_conduct, visit)
        return self.show(visit=visit, slots=self.slots(visit_id=visit.pk, patient_id=visit.patient_id))


class Lobby(Page):
    """Where the patient says they are, and the waiting room's part of the page."""

    access = (Action.READ, Resource.VISIT)
    template = "consults/lobby.html"
    words = WORDS

    def get(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        visit = selectors.visit_for(self.by, visit_id)
        shown = fields(self.by.role, Resource.VISIT)
        return self.show(visit=visit, may_act=rules.may_conduct(self.by, visit), fields=shown)


class FinishPart(Page, abstract=True):
    template = "consults/finish.html"
    words = WORDS

    def part(self, visit: Visit) -> HttpResponse:
        return self.show(visit=visit, signed=selectors.has_signed_note(self.by, visit.pk))


class Finish(FinishPart):
    """Whether the visit can be completed."""

    access = (Action.READ, Resource.VISIT)

    def get(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        return self.part(selectors.visit_for(self.by, visit_id))


class Complete(FinishPart):
    """The end of the visit, which a locked screen does not keep from anybody."""

    while_locked = frozenset({"post"})
    access = (Action.ACT, Resource.WAITING_ROOM)

    def post(self, request: HttpRequest, visit_id: UUID) -> HttpResponse:
        return self.part(services.complete(visit_id=visit_id, by=self.by))
