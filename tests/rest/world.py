"""A small interface made only to try the engine: things (rows of the engine's own table), a sign-in by header, a gate."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from audit.ledger import Actor, uuid7
from telehealth.core.errors import Conflict, Refused
from telehealth.rest.errors import VersionChanged
from telehealth.rest.faces import OPEN, CreateFace, Face
from telehealth.rest.models import IdempotencyKey as Thing
from telehealth.rest.parsing import FHIRBody, JSONBody
from telehealth.rest.rendering import StoredJSON
from telehealth.rest.shapes import Nothing, Shape

PIA, NED = UUID(int=1), UUID(int=2)
SECRET = "Quebec-4711"
READ, CREATE = ("read", "thing"), ("create", "thing")


class ByHeader(BaseAuthentication):
    """`Actor: <uuid> [password-only]`."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        words = request.headers.get("Actor", "").split()
        if not words:
            return None
        factor = None if "password-only" in words else datetime.now(UTC)
        request.by = Actor(id=UUID(words[0]), role="patient", second_factor_at=factor)  # type: ignore[attr-defined]
        return object(), None


def gate(by: Actor, action: str, resource: str) -> None:
    if resource == "forbidden":
        raise Refused(role=by.role)


class Taken(Conflict):
    code = "thing_taken"


class Place(Shape):
    city = serializers.CharField(max_length=5)


class ThingIn(Shape):
    number = serializers.IntegerField(min_value=100, max_value=999)
    place = Place(required=False)
    comment = serializers.CharField(required=False)


class ThingOut(Shape):
    id = serializers.UUIDField()
    number = serializers.IntegerField(source="status")


class ThingQuery(Shape):
    number = serializers.IntegerField(required=False)


class Things(CreateFace):
    """Things, newest first."""

    authentication_classes = [ByHeader]
    access = {"get": READ, "post": CREATE}
    shape_in, shape_out, shape_query = ThingIn, ThingOut, ThingQuery

    def get(self, request: Request) -> Response:
        rows = Thing.objects.filter(actor=UUID(int=9))
        if number := self.asked(ThingQuery).get("number"):
            rows = rows.filter(status=number)
        return self.page(rows, ThingOut, self.request.headers.get("Order", "-id"))

    def create(self, data: dict[str, Any]) -> Thing:
        return make(data["number"])

    def find(self, pk: UUID) -> Thing:
        return get_object_or_404(Thing, pk=pk)


class TakenThings(Things):
    """Makes the thing, then finds that it may not."""

    def create(self, data: dict[str, Any]) -> Thing:
        make(data["number"])
        raise Taken(reply={"retry": False}, thing=SECRET)


class Versioned(Face):
    """A thing that two people can change."""

    authentication_classes = [ByHeader]
    access = {"get": READ, "put": ("update", "thing")}

    def get(self, request: Request) -> Response:
        self.etag(7)
        return Response({})

    def put(self, request: Request) -> Response:
        if self.expected() != 7:
            raise VersionChanged
        return Response({"changed": True})


class Broken(Face):
    """Fails in a way that nobody foresaw."""

    authentication_classes = [ByHeader]
    access = ("act", "thing")
    shape_in = Nothing

    def post(self, request: Request) -> Response:
        raise RuntimeError(f"the secret is {SECRET}")


class Forbidden(Broken):
    """Nothing for this role."""

    access = ("act", "forbidden")


class Big(Face):
    """Takes a little more, and FHIR's media type; keeps what it was given."""

    authentication_classes = [ByHeader]
    access = ("create", "import")
    body_limit = 2 * 1024 * 1024
    parser_classes = [JSONBody, FHIRBody]

    def post(self, request: Request) -> Response:
        return Response({"bytes": len(self.raw())})


class Stored(Face):
    """Passes stored JSON through."""

    access = OPEN
    authentication_classes = []

    def get(self, request: Request) -> Response:
        return Response({"body": StoredJSON().to_representation('{"value": 1.10}')})


def make(number: int) -> Thing:
    return Thing.objects.create(actor=UUID(int=9), key_hash=uuid7().bytes, request_hash=b"", status=number, object_id=PIA)


urlpatterns = [
    path("api/v1/things/", Things.as_view()),
    path("api/v1/taken/", TakenThings.as_view()),
    path("api/v1/versioned/", Versioned.as_view()),
    path("api/v1/broken/", Broken.as_view()),
    path("api/v1/forbidden/", Forbidden.as_view()),
    path("api/v1/big/", Big.as_view()),
    path("api/v1/stored/", Stored.as_view()),
]
handler404 = "telehealth.rest.problems.not_found"
handler500 = "telehealth.rest.problems.server_error"
handler400 = "telehealth.rest.problems.bad_request"
