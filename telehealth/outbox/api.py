"""The outbox by REST: what was given up and sending it again, how one is told oneself, and texts that come back."""

import time
from http import HTTPStatus
from uuid import UUID

import orjson
from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from audit.ledger import current, refuse
from telehealth.accounts.access import Action, Resource
from telehealth.core.signature import fault
from telehealth.outbox import selectors, services, shapes
from telehealth.outbox.models import Source
from telehealth.outbox.rules import GATEWAY
from telehealth.rest.faces import OPEN, Face
from telehealth.rest.problems import MEDIA_TYPE, problem
from telehealth.vault import integrations

SIGNATURE = "X-Sms-Signature"


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


class Contact(Face):
    """How the caller is told, and what their telephone number agreed to; `number` says whether one is on file."""

    access = {"get": (Action.READ, Resource.CONTACT_PREFERENCE), "patch": (Action.UPDATE, Resource.CONTACT_PREFERENCE)}
    shape_in = {"patch": shapes.ContactIn}
    shape_out = {"get": shapes.ContactOut, "patch": shapes.ContactOut}

    def get(self, request: Request) -> Response:
        return Response(shapes.ContactOut(selectors.told_how(self.by.account)).data)

    def patch(self, request: Request) -> Response:
        services.change_preference(person_id=self.by.account, by=self.by, **self.given(shapes.ContactIn))
        return self.get(request)


class ContactConsents(Face):
    """Agree to texts for these purposes, or no longer. 409 `no_number` when no number is on file."""

    access = {"post": (Action.ACT, Resource.CONTACT_PREFERENCE)}
    shape_in = {"post": shapes.ContactConsentIn}
    shape_out = {"post": shapes.ContactOut}

    def post(self, request: Request) -> Response:
        person, source = self.by.account, Source.APP if self.by.client else Source.PORTAL
        number = selectors.number_of(person)
        services.say_consent(**self.given(shapes.ContactConsentIn), number=number, person_id=person, source=source, by=self.by)
        return Response(shapes.ContactOut(selectors.told_how(person)).data)


class SmsInbound(Face):
    """The clinic's SMS gateway brings a text that somebody sent. What `reply` holds is to be sent back; empty: nothing.

    Signed like the pharmacy network's messages, in `X-Sms-Signature` with the secret `SMS_INBOUND_SECRET`: 401
    `bad_signature`, `stale_signature`. The same `id` again does nothing.
    """

    access = OPEN
    body_limit = 8 * 1024
    shape_in = {"post": shapes.InboundIn}
    shape_out = {"post": shapes.ReplyOut}

    def post(self, request: Request) -> Response:
        current().become(GATEWAY)
        body, secret = self.raw(), integrations.reveal(settings.SMS_INBOUND_SECRET)
        header = request.headers.get(SIGNATURE, "")
        if wrong := fault(secret, body, header, int(time.time())) if secret else "bad_signature":
            refuse(GATEWAY, wrong, kind="sms_inbound")
            return Response(problem(HTTPStatus.UNAUTHORIZED, wrong), status=HTTPStatus.UNAUTHORIZED, content_type=MEDIA_TYPE)
        given = shapes.InboundIn(data=_parsed(body))
        given.is_valid(raise_exception=True)
        return Response({"reply": services.take_text(**given.validated_data, by=GATEWAY)})


def _parsed(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ParseError(code="malformed") from error
