"""How a patient is told, by REST: for the front desk, whom the patient calls."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from telehealth.accounts.access import Action, Resource
from telehealth.outbox import services, shapes
from telehealth.outbox.models import Source
from telehealth.outbox.selectors import number_of, told_how
from telehealth.records import selectors
from telehealth.rest.faces import Face


class PatientContact(Face):
    """How this patient is told, and what their number agreed to. 409 `no_account`: who has none is told nothing."""

    access = {"get": (Action.READ, Resource.CONTACT_PREFERENCE), "patch": (Action.UPDATE, Resource.CONTACT_PREFERENCE)}
    shape_in = {"patch": shapes.ContactIn}
    shape_out = {"get": shapes.ContactOut, "patch": shapes.ContactOut}

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.ContactOut(told_how(selectors.told_person(self.by, pk, Action.READ))).data)

    def patch(self, request: Request, pk: UUID) -> Response:
        person = selectors.told_person(self.by, pk, Action.UPDATE)
        services.change_preference(person_id=person, by=self.by, **self.given(shapes.ContactIn))
        return Response(shapes.ContactOut(told_how(person)).data)


class PatientContactConsents(Face):
    """The patient says on the telephone that they agree to texts, or no longer. 409 `no_number`, `no_account`."""

    access = {"post": (Action.ACT, Resource.CONTACT_PREFERENCE)}
    shape_in = {"post": shapes.ContactConsentIn}
    shape_out = {"post": shapes.ContactOut}

    def post(self, request: Request, pk: UUID) -> Response:
        person = selectors.told_person(self.by, pk, Action.ACT)
        given, source = self.given(shapes.ContactConsentIn), Source.PORTAL if person == self.by.id else Source.DESK
        services.say_consent(**given, number=number_of(person), person_id=person, source=source, by=self.by)
        return Response(shapes.ContactOut(told_how(person)).data)
