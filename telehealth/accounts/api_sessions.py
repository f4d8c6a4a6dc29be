"""REST: where I am signed in, by browsers and by apps; sign out there."""

from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from telehealth.accounts import selectors, services
from telehealth.accounts.access import Action, Resource
from telehealth.rest.faces import Face
from telehealth.rest.shapes import Shape


class SessionOut(Shape):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    app = serializers.CharField(source="application.name", default="")
    device = serializers.CharField()
    network = serializers.CharField()
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField()


class EndOthersIn(Shape):
    others = serializers.ChoiceField(choices=["all"])


class EndedOut(Shape):
    ended = serializers.IntegerField()


class SessionList(Face):
    """One's own, the one that asks among them."""

    access = (Action.SEARCH, Resource.SESSION)
    shape_out = SessionOut
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.sessions_of(self.by), SessionOut)


class SessionItem(Face):
    """Sign out there: at once, with its tokens and sockets. 404 for anybody else's."""

    access = (Action.ACT, Resource.SESSION)

    def delete(self, request: Request, session_id: UUID) -> Response:
        services.end_session(session_id=session_id, by=self.by)
        return Response(status=204)


class EndOthers(Face):
    """Sign out everywhere but here."""

    access = (Action.ACT, Resource.SESSION)
    shape_in = EndOthersIn
    shape_out = EndedOut

    def post(self, request: Request) -> Response:
        self.given(EndOthersIn)
        return Response(EndedOut({"ended": services.end_other_sessions(by=self.by)}).data)
