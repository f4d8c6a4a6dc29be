"""The door of the pharmacy network: signed SCRIPT messages, and a documented answer to whatever else comes."""

import time
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from rest_framework.exceptions import APIException

from audit.ledger import Actor, current, refuse
from prescribing import script, services, signature
from prescribing.script import NotScript
from prescribing.services.receiving import KIND
from telehealth.core.errors import DomainError
from telehealth.rest.errors import status_of
from telehealth.rest.parsing import declared_length, read_limited
from telehealth.rest.problems import MEDIA_TYPE, problem
from telehealth.vault import integrations

LARGEST_BODY = 256 * 1024
NETWORK = Actor(id=None, role="pharmacy_network")


@csrf_exempt
@require_POST
def inbound(request: HttpRequest) -> HttpResponse:
    """200 taken (also a repeat); 400 no SCRIPT message; 401 signature; 404 about nothing of ours; 409 id reused; 413."""
    current().become(NETWORK)
    try:
        body = _bounded(request)
    except APIException:
        return _no(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
    header = request.headers.get(signature.HEADER, "")
    secret = integrations.reveal(settings.PHARMACY_NETWORK_SECRET)
    if wrong := "bad_signature" if not secret else signature.fault(secret, body, header, int(time.time())):
        return _no(HTTPStatus.UNAUTHORIZED, wrong)
    try:
        services.receive(envelope=script.read(body), body=body, by=NETWORK)
    except NotScript:
        return _no(HTTPStatus.BAD_REQUEST, "malformed")
    except DomainError as error:
        return _problem(status_of(error), error.code)
    return JsonResponse({"accepted": True})


def _bounded(request: HttpRequest) -> bytes:
    return read_limited(cast(Any, request), 0 if declared_length(request) > LARGEST_BODY else LARGEST_BODY)


def _no(status: HTTPStatus, code: str) -> HttpResponse:
    refuse(NETWORK, code, kind=KIND)
    return _problem(status, code)


def _problem(status: int, code: str) -> HttpResponse:
    return JsonResponse(problem(int(status), code), status=int(status), content_type=MEDIA_TYPE)
