"""Errors as replies: RFC 9457 problem JSON with the domain code, never with a value of the input."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from django.views import defaults
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response

from audit.ledger import EntryNotWritten
from telehealth.core.errors import DomainError, Missing
from telehealth.rest.errors import status_of

MEDIA_TYPE = "application/problem+json"
API = "/api/"
log = structlog.get_logger(__name__)

TITLES: dict[int, str] = {
    400: _("The request is not valid."),
    401: _("Sign in first."),
    403: _("A further proof of identity is needed, or this is not permitted."),
    404: _("There is nothing here for you."),
    405: _("This address does not do that."),
    409: _("The request conflicts with the present state."),
    412: _("Somebody else changed this in the meantime."),
    413: _("The request is too large."),
    415: _("This type of content is not understood."),
    428: _("Say which version you are changing."),
    429: _("Too many requests."),
    500: _("Something went wrong here."),
    503: _("Not available at the moment."),
}
# What Django and DRF raise on their own account, by status.
CODES: dict[int, str] = {
    400: "invalid",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "throttled",
    500: "unexpected",
    503: "unavailable",
}
FOREIGN: list[tuple[type[Exception], int]] = [
    (Http404, 404),
    (PermissionDenied, 403),
    (RequestDataTooBig, 413),
    (SuspiciousOperation, 400),
    (ModelValidationError, 400),
    (OperationalError, 503),
    (InterfaceError, 503),
]


def problem(status: int, code: str = "", **more: Any) -> dict[str, Any]:
    """The body of a problem: type, title, status, code and what the caller adds."""
    code = code or CODES.get(status, "invalid")
    title = gettext(TITLES.get(status, TITLES[400]))
    return {**more, "type": f"urn:telehealth:problem:{code}", "title": title, "status": status, "code": code}


def answer(error: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: every exception of a face ends here, the unexpected ones too."""
    status, body, headers = _translated(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log_unexpected(error, context)
    if (challenge := getattr(error, "challenge", "")) and getattr(context.get("request"), "auth", None) is not None:
        # An app cannot show a factor by itself: it is told how to send its person for one (RFC 9470).
        body["status"] = status = 401
        headers["WWW-Authenticate"] = f'Bearer realm="telehealth", {challenge}'
    return Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def _translated(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    if isinstance(error, Missing):
        return 404, problem(404), {}  # the same for "not yours" and "not there", whatever the subclass
    if isinstance(error, DomainError):
        status = status_of(error)
        wait = getattr(error, "retry_after", None)
        later = {"Retry-After": str(wait)} if wait else {}
        return status, {**getattr(error, "reply", {}), **problem(status, error.code)}, later
    if isinstance(error, ValidationError):
        return 400, problem(400, errors=list(_flat(error.get_full_details()))), {}
    if isinstance(error, APIException):
        return _drf(error)
    if isinstance(error, EntryNotWritten):
        return 503, problem(503, "audit_unavailable"), {}
    for kind, status in FOREIGN:
        if isinstance(error, kind):
            return status, problem(status), {}
    return 500, problem(500), {}


def _drf(error: APIException) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    code = "malformed" if error.get_codes() == "malformed" else ""
    return error.status_code, problem(error.status_code, code), headers


def _flat(details: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Field and code of every fault, nested ones with dots: `location.state`, `items.2.name`."""
    if isinstance(details, Mapping):
        if set(details) == {"message", "code"}:
            yield {"field": path, "code": str(details["code"])}
            return
        for name, inner in details.items():
            own = path if name == "non_field_errors" else f"{path}.{name}".lstrip(".")
            yield from _flat(inner, own)
    elif isinstance(details, list):
        faults = [set(inner) == {"message", "code"} for inner in details]
        for index, inner in enumerate(details):
            yield from _flat(inner, path if all(faults) else f"{path}.{index}".lstrip("."))


def _log_unexpected(error: Exception, context: Mapping[str, Any]) -> None:
    # An exception's own text may quote a value: only kinds and places are logged.
    view = type(context.get("view")).__name__
    log.error("unexpected exception in a face", error=type(error).__name__, view=view, exc_info=error)


def _plain(status: int) -> HttpResponse:
    return HttpResponse(orjson.dumps(problem(status)), status=status, content_type=MEDIA_TYPE)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: problem JSON for the API's addresses, Django's page for the others."""
    if request.path_info.startswith(API):
        return _plain(404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: the same for what fails outside a face."""
    if request.path_info.startswith(API):
        return _plain(500)
    return defaults.server_error(request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: the same for requests that Django itself turns away."""
    if request.path_info.startswith(API):
        return _plain(413 if isinstance(exception, RequestDataTooBig) else 400)
    return defaults.bad_request(request, exception)
