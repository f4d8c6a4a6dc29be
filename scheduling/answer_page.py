"""The page behind a reminder's link. The token is the key; whoever only looks, as mail scanners do, changes nothing."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views import View

from audit.ledger import ANONYMOUS, current
from scheduling import services
from scheduling.models import AnswerLink
from scheduling.services.answering import holder_of, open_link
from telehealth.accounts import sessions
from telehealth.accounts.errors import TooManyAttempts
from telehealth.accounts.throttle import ADDRESS_REMEMBERED, FREE_PER_ADDRESS, Throttle
from telehealth.core.errors import Conflict, DomainError
from telehealth.outbox.moments import facts_of
from telehealth.outbox.selectors import contact_of
from telehealth.portal.errors import error_page, status_of

WAIT = _("Too many attempts. Please wait a little and try again.")
CALL = _("This cannot be done here any more. Please call the clinic.")
TEMPLATE = "scheduling/answer.html"


class Answer(View):
    """When the appointment is, and two buttons. Nobody is named, nor what it is about."""

    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = self._asked(request, kwargs["token"])
        except TooManyAttempts as busy:
            response = error_page(HTTPStatus.BAD_REQUEST, WAIT)
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = str(busy.retry_after)
        except Conflict as error:
            response = error_page(status_of(error), CALL)
        except DomainError as error:
            response = error_page(status_of(error))
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response

    def _asked(self, request: HttpRequest, token: str) -> HttpResponse:
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED)
        guesses = Throttle("answer", sessions.address_of(request), FREE_PER_ADDRESS, ADDRESS_REMEMBERED)
        guesses.attempt()
        link = open_link(token, ANONYMOUS)
        guesses.give_back()
        current().become(holder_of(link))
        contact = contact_of(link.reminder.appointment.patient.account_id)
        with translation.override(contact.language or translation.get_language()):
            said = self._answered(request, token) if request.method == "POST" else ""
            return self._page(request, link, said, **facts_of(link.ends_at, contact.zone))

    def _answered(self, request: HttpRequest, token: str) -> str:
        """`yes`, `no`, or nothing when neither button was it."""
        told = request.POST.get("answer", "")
        if told in ("yes", "no"):
            services.answer(token=token, coming=told == "yes", by=ANONYMOUS)
            return told
        return ""

    def _page(self, request: HttpRequest, link: AnswerLink, said: str, **facts: str) -> HttpResponse:
        confirmed = link.reminder.appointment.confirmed_at is not None
        return render(request, TEMPLATE, {"said": said, "confirmed": confirmed, **facts})
