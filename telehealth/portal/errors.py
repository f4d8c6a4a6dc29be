"""Error pages. They ask nothing of the database or the session, so that they also show when those are down."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

WORDS: dict[int, tuple[Text, Text]] = {
    400: (_("That did not work"), _("Something in the request was not as expected. Go back, check what was entered and try again.")),
    403: (_("Not allowed"), _("This is not something you may do here. If the page was open for long, go back, reload it and try again.")),
    404: (_("Not found"), _("There is nothing here, or it is not yours to see.")),
    409: (_("That did not work"), _("Somebody or something else was faster. Go back, reload the page and try again.")),
    500: (_("Something broke"), _("The fault is ours, not yours. Nothing was lost that the page had confirmed. Please try again.")),
    503: (_("Please wait a moment"), _("Telehealth cannot answer safely at the moment, so it does not answer at all. Please try again shortly.")),
}


def error_page(status: int, sentence: Text | None = None) -> HttpResponse:
    """A whole page that says what happened, without a word about the inside."""
    heading, usual = WORDS.get(status, WORDS[400])
    context = {"status": status, "heading": heading, "sentence": sentence or usual}
    response = HttpResponse(render_to_string("portal/errors/error.html", context), status=status)
    response["Cache-Control"] = "no-store"
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(HTTPStatus.FORBIDDEN)


def csrf_failure(request: HttpRequest, reason: str = "", **_template: Any) -> HttpResponse:
    return error_page(HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    return error_page(HTTPStatus.INTERNAL_SERVER_ERROR)


def unavailable(request: HttpRequest) -> HttpResponse:
    return error_page(HTTPStatus.SERVICE_UNAVAILABLE)
