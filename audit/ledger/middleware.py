"""A unit around every HTTP request, and its openings written after rendering and before the first byte."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from itertools import chain, islice
from typing import cast
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string

from audit.ledger.actor import ANONYMOUS
from audit.ledger.errors import EntryNotWritten
from audit.ledger.units import Unit, current, flush, resumed

CHANNELS = {
    "/api/": "REST",
    "/admin/": "admin",
    "/audit/log/": "witness",
    "/calendars/": "calendar",
    "/dev/": "dev",
    "/inbound/": "inbound",
    "/oauth/": "OAuth",
}
RETRY_AFTER_SECONDS = "5"
NOT_ON_RECORD = "audit_unavailable"


class UnitMiddleware:
    """Outermost. Authentication further in calls `current().become(actor)`; every reply carries its X-Request-Id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        made = Unit(ANONYMOUS, channel=channel_of(request.path), purpose="TREAT", reason="", cid=uuid4().hex)
        with resumed(made):
            response = self._answer(request, made)
        response.headers["X-Request-Id"] = made.cid
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A view whose act or commit could not be put on record, or that lacked a key: 503, before Django makes it a 500."""
        code = NOT_ON_RECORD if isinstance(exception, EntryNotWritten) else current().lacking
        return unavailable(request, code) if code else None

    def _answer(self, request: HttpRequest, made: Unit) -> HttpResponseBase:
        response: HttpResponseBase | None = None
        with suppress(EntryNotWritten):  # the unit remembers, also where something further in made a 500 of it
            response = self.get_response(request)
            flush()
        if made.broken or response is None:
            made.closed = True
            if response is not None:
                response.close()
            return unavailable(request)
        if made.lacking:
            response = _instead(request, response, made.lacking)
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            return _begun(request, response, made)
        made.closed = True
        return response


def _begun(request: HttpRequest, response: StreamingHttpResponse, made: Unit) -> HttpResponseBase:
    """A stream's first chunk is made, and what it opened is on record, before its headers leave: else it is a 503."""
    chunks = on_record(cast("Iterator[bytes]", response.streaming_content), made)
    try:
        first = list(islice(chunks, 1))
    except EntryNotWritten:
        response.close()
        return unavailable(request)
    except Exception:
        response.close()
        if made.lacking:
            return unavailable(request, made.lacking)
        raise
    response.streaming_content = chain(first, chunks)
    return response


def on_record(chunks: Iterator[bytes], made: Unit) -> Iterator[bytes]:
    """Each chunk leaves after its openings are written; a failing write breaks the stream."""
    try:
        while True:
            with resumed(made):
                chunk = next(chunks, None)
                flush()
            if made.broken:  # whatever the stream made of it
                raise EntryNotWritten("audit entry not written")
            if chunk is None:
                return
            yield chunk
    finally:
        made.closed = True


def channel_of(path: str) -> str:
    """How the ledger names the face that a path belongs to."""
    return next((name for prefix, name in CHANNELS.items() if path.startswith(prefix)), "portal")


def unavailable(request: HttpRequest, code: str = NOT_ON_RECORD) -> HttpResponse:
    """503: the entry could not be written, or a key not be had, so nothing is told. A page for people, RFC 9457 problem
    details for programs."""
    response = _page(request) or _problem(code)
    response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def _instead(request: HttpRequest, response: HttpResponseBase, code: str) -> HttpResponseBase:
    """A face that said 503 itself keeps its words; whatever else the code made of the lacking key is thrown away."""
    if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        response.close()
        return unavailable(request, code)
    response.headers.setdefault("Retry-After", RETRY_AFTER_SECONDS)
    return response


def _problem(code: str) -> HttpResponse:
    problem = {"type": f"urn:telehealth:problem:{code}", "title": "Service unavailable", "status": 503, "code": code}
    return JsonResponse(problem, status=503, content_type="application/problem+json")


def _page(request: HttpRequest) -> HttpResponse | None:
    """The portal's page, without the request: its frame would ask the database who is signed in."""
    if channel_of(request.path) not in ("portal", "admin") or "text/html" not in request.headers.get("Accept", ""):
        return None
    try:
        return HttpResponse(render_to_string("503.html"), status=503)
    except TemplateDoesNotExist:
        return None
