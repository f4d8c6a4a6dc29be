"""Whether somebody is still there: what counts as activity, the lock over a visit in progress, and the pages of one's sessions."""

from http import HTTPStatus
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views import View

from audit.ledger import ANONYMOUS, Actor
from telehealth.accounts import selectors, services, sessions
from telehealth.accounts.access import Action, Resource
from telehealth.accounts.forms import LONGEST_PASSWORD
from telehealth.accounts.portal import WORDS, Door, start_page
from telehealth.core.errors import Invalid
from telehealth.portal.pages import Page

BOTH = frozenset({"get", "head", "post"})


class UnlockForm(forms.Form):
    """One of the two is enough."""

    code = forms.CharField(
        label=_("Code of your authenticator app"),
        max_length=16,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Or your password"),
        max_length=LONGEST_PASSWORD,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not (given.get("code") or given.get("password")):
            raise forms.ValidationError(_("Enter the code or the password."), code="required")
        return given


class Presence(View):
    """What pages ask by themselves to know how long they have; it keeps nobody signed in. POST says: I am here."""

    http_method_names = ["get", "head", "post"]
    while_locked: ClassVar[frozenset[str]] = frozenset({"get", "head"})
    unattended = True

    def get(self, request: HttpRequest) -> HttpResponse:
        by: Actor = getattr(request, "by", ANONYMOUS)
        if by.id is None:
            return JsonResponse({"signed_in": False}, status=HTTPStatus.UNAUTHORIZED)
        idle, whole = sessions.time_left(request)
        locked = sessions.is_locked(request.session)
        return JsonResponse({"signed_in": True, "locked": locked, "idle_in": idle, "ends_in": whole})

    def post(self, request: HttpRequest) -> HttpResponse:
        if getattr(request, "by", ANONYMOUS).id is not None:
            sessions.touch(request)
        return self.get(request)


class Unlock(Door):
    """The way back to a locked session, by code or password; a passkey does it on the page of the fresh factor. As a page,
    or asked by the overlay that covers a visit in progress (`X-Overlay`), which leaves the page under it alone."""

    form = UnlockForm
    template = "accounts/unlock.html"
    while_locked: ClassVar[frozenset[str]] = BOTH
    unattended = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        who = sessions.guard(request)
        if not isinstance(who, Actor):
            return who
        if not sessions.is_locked(request.session):
            return self._through(request, who)
        return super().dispatch(request, *args, **kwargs)

    def enter(self, given: dict[str, Any], **kwargs: str) -> HttpResponseBase:
        services.come_back(code=given["code"], password=given["password"], by=self.by)
        sessions.unlock(self.request)
        return self._through(self.request, self.by)

    def page(self, form: forms.Form, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
        if self.request.headers.get("X-Overlay"):
            sentences = [str(each) for errors in form.errors.values() for each in errors]
            return JsonResponse({"sentence": " ".join(sentences)}, status=status)
        return super().page(form, status, **context)

    def _through(self, request: HttpRequest, by: Actor) -> HttpResponse:
        if request.headers.get("X-Overlay"):
            return JsonResponse({"locked": False})
        return HttpResponseRedirect(start_page(request, by))


class Sessions(Page):
    """Where one is signed in; sign out there, or everywhere but here."""

    access = {"get": (Action.SEARCH, Resource.SESSION), "post": (Action.ACT, Resource.SESSION)}
    template = "accounts/sessions.html"
    words = WORDS

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(sessions=selectors.sessions_of(self.by), here=selectors.session_id(self.by))

    def post(self, request: HttpRequest) -> HttpResponse:
        if request.POST.get("all"):
            services.end_other_sessions(by=self.by)
        else:
            services.end_session(session_id=_id(request.POST.get("session", "")), by=self.by)
        if request.POST.get("session", "") == str(selectors.session_id(self.by)):
            return sessions.towards("/")
        return self.get(request)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid from None
