"""What a page answers when our own rules say no. The words come from the app; an engine knows no subject."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from telehealth.core.errors import Conflict, DomainError, Invalid, Missing, Unavailable, Unproven

Text = str | Promise
FRESH = "fresh_factor_required"
Words = Mapping[str, Text]

STATUS: list[tuple[type[DomainError], HTTPStatus]] = [
    (Invalid, HTTPStatus.BAD_REQUEST),
    (Missing, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (Unproven, HTTPStatus.FORBIDDEN),
]
USUAL: dict[HTTPStatus, Text] = {
    HTTPStatus.BAD_REQUEST: _("Something that was entered is not as expected. Check it and try again."),
    HTTPStatus.NOT_FOUND: _("This is not there any more, or it is not yours to see."),
    HTTPStatus.CONFLICT: _("Meanwhile something has changed. Reload the page and try again."),
    HTTPStatus.FORBIDDEN: _("A fresh code from your authenticator is needed for this."),
    HTTPStatus.SERVICE_UNAVAILABLE: _("Telehealth cannot answer safely at the moment. Please try again shortly."),
}


def status_of(error: DomainError) -> HTTPStatus:
    """The HTTP code of a kind of no, the same as over REST."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), HTTPStatus.CONFLICT)


def sentence_of(error: DomainError, words: Words) -> Text:
    """What to tell the person: the app's words for this fact, else the usual ones for its kind."""
    return words.get(error.code) or USUAL[status_of(error)]


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks, and so gets a piece of a page instead of a whole one."""
    return request.headers.get("HX-Request") == "true"


def _towards_proof(request: HttpRequest, door: str) -> HttpResponse:
    """What was posted is not kept: the person comes back to the page that they posted it from."""
    fragment = is_fragment(request)
    told = request.headers.get("HX-Current-URL", "") if fragment else request.headers.get("Referer", "")
    back = urlsplit(told)
    here = request.get_full_path() if request.method == "GET" and not fragment else ""
    onward = here or back._replace(scheme="", netloc="").geturl() or "/"
    address = f"{door}?{urlencode({'next': onward})}"
    return HttpResponse(headers={"HX-Redirect": address}) if fragment else HttpResponseRedirect(address)


def error_page(status: int, sentence: Text | None = None) -> HttpResponse:
    """A whole page that says what happened, without a word about the inside; it needs no session or database."""
    response = HttpResponse(render_to_string(f"{status:d}.html", {"sentence": sentence}), status=status)
    response["Cache-Control"] = "no-store"
    return response


def answer(request: HttpRequest, error: DomainError, words: Words) -> HttpResponse:
    """A sentence for the alert region of the page that asked, or a whole page; the way to a fresh factor, when that is
    what lacks, and from there back to the page."""
    if error.code == FRESH and (door := getattr(settings, "PORTAL_STEP_UP", "")):
        return _towards_proof(request, reverse(door))
    status = status_of(error)
    sentence = sentence_of(error, words)
    if not is_fragment(request):
        return error_page(status, sentence)
    response = HttpResponse(render_to_string("portal/alert.html", {"sentence": sentence}), status=status)
    response["HX-Retarget"] = "#alerts"
    response["HX-Reswap"] = "innerHTML"
    response["Cache-Control"] = "no-store"
    return response
