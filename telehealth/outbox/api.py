"""The outbox by REST, for administrators: what was given up, and sending it again."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from telehealth.accounts.access import Action, Resource
from telehealth.outbox import selectors, services, shapes
from telehealth.rest.faces import Face


class MessageList(Face):
    """What left, waits, or was given up, newest first; `state` narrows it."""

    access = (Action.SEARCH, Resource.OUTBOX)
    shape_query = shapes.StateQueryIn
    shape_out = {"get": shapes.MessageOut}
    paged = True

    def get(self, request: Request) -> Response:
        rows = selectors.messages_for(self.by, **self.asked(shapes.StateQueryIn))
        return self.page(rows, shapes.MessageOut)


class MessageSendAgain(Face):
    """Put what was given up back in line, under its old key."""

    access = (Action.ACT, Resource.OUTBOX)
    shape_out = {"post": shapes.MessageOut}

    def post(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.MessageOut(services.send_again(message_id=pk, by=self.by)).data)
