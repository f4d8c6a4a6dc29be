"""Who may practise in which state, by REST: no health data, so open to everybody who is signed in."""

from rest_framework.request import Request
from rest_framework.response import Response

from telehealth.accounts.access import Action, Resource
from telehealth.records import selectors, shapes
from telehealth.rest.faces import Face


class LicenseList(Face):
    """Licences of who gives care here: of one practitioner, for one state, on one day if asked."""

    access = (Action.SEARCH, Resource.LICENSE)
    shape_query = shapes.LicenseQuery
    shape_out = {"get": shapes.LicenseHeldOut}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.licenses(**self.asked(shapes.LicenseQuery)), shapes.LicenseHeldOut)


class LicenseExceptionList(Face):
    """What lets them practise in a state without its licence: theirs and the whole clinic's."""

    access = (Action.SEARCH, Resource.LICENSE)
    shape_query = shapes.LicenseQuery
    shape_out = {"get": shapes.LicenseExceptionOut}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.license_exceptions(**self.asked(shapes.LicenseQuery)), shapes.LicenseExceptionOut)
