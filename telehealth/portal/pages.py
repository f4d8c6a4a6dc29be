"""Pages and fragments: the faces of the portal. A page parses, calls one service or selector, and renders."""

from collections.abc import Mapping
from datetime import tzinfo
from functools import cache
from http import HTTPStatus
from typing import Any, ClassVar, Protocol, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views import View

from audit.ledger import ANONYMOUS, Actor
from telehealth.core.errors import DomainError
from telehealth.portal.errors import Words, answer, is_fragment

Access = tuple[str, str]  # an action and a resource of the access table
METHODS = ("get", "post")


class Guard(Protocol):
    """Who asks, with both factors shown; or the page where they show what is missing."""

    def __call__(self, request: HttpRequest) -> Actor | HttpResponseBase: ...


class Zone(Protocol):
    """The time zone in which this person reads times."""

    def __call__(self, by: Actor) -> tzinfo: ...


class Gate(Protocol):
    """Raises Refused when the actor's role has no scope at all for the action on the resource."""

    def __call__(self, by: Actor, action: str, resource: str) -> None: ...


@cache
def _named(setting: str) -> Any:
    path = getattr(settings, setting, "")
    if not path:
        raise ImproperlyConfigured(f"{setting} is not set: the portal serves nothing")
    return import_string(path)


def guard(request: HttpRequest) -> Actor | HttpResponseBase:
    """What the guard named by `PORTAL_GUARD` says."""
    return cast(Guard, _named("PORTAL_GUARD"))(request)


class Page(View):
    """A view behind sign-in, second factor and role gate: `access = (action, resource)`, or one pair per method.

    A page without `access` does not start. `words` turns the codes of domain errors into sentences.
    """

    access: ClassVar[Access | dict[str, Access]]
    template: ClassVar[str] = ""
    words: ClassVar[Words] = {}
    http_method_names = [*METHODS, "head"]

    by: Actor = ANONYMOUS

    def __init_subclass__(cls, *, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            _check_access(cls)

    @classmethod
    def access_of(cls, method: str) -> Access | None:
        """The pair asked for a method (lower case), None when the page does not serve it."""
        method = "get" if method == "head" else method
        if method not in METHODS or not hasattr(cls, method):
            return None
        return cls.access.get(method) if isinstance(cls.access, dict) else cls.access

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Sign-in and second factor, then the role gate, then the handler; a no of ours becomes its page."""
        try:
            response = self._served(request, *args, **kwargs)
        except DomainError as error:
            return answer(request, error, self.words)
        response["Cache-Control"] = "no-store"
        return response

    def _served(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        who = guard(request)
        if isinstance(who, HttpResponseBase):
            return elsewhere(request, who)
        self.by = who
        request.by = who  # type: ignore[attr-defined]  # for the frame's menu
        access = self.access_of((request.method or "").lower())
        if access is not None:
            cast(Gate, _named("REST_GATE"))(who, *access)
        with timezone.override(cast(Zone, _named("PORTAL_ZONE"))(who)):
            response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
            return response

    def show(self, template: str = "", *, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
        """Render now, while the audit unit is open."""
        return render(self.request, template or self.template, {"page": self, **context}, status=status)

    def go(self, name: str, **kwargs: Any) -> HttpResponseBase:
        """Send the browser to another page, also when htmx asked."""
        return elsewhere(self.request, HttpResponseRedirect(reverse(name, kwargs=kwargs)))


class ShellPage(Page, abstract=True):
    """A page made of several apps: a shell whose named slots `PORTAL_SLOTS` fills with the apps' fragments.

    `PORTAL_SLOTS = {shell: {slot: (URL name, parameter, ...)}}`; the page gives the values of the parameters.
    """

    shell: ClassVar[str]

    def slots(self, **given: Any) -> Mapping[str, str]:
        """The address of each slot's fragment."""
        wired: Mapping[str, tuple[str, ...]] = settings.PORTAL_SLOTS.get(self.shell, {})
        return {slot: reverse(name, kwargs={key: given[key] for key in keys}) for slot, (name, *keys) in wired.items()}


def elsewhere(request: HttpRequest, redirect: HttpResponseBase) -> HttpResponseBase:
    """A redirect that htmx follows with the whole page, instead of swapping that page into its target."""
    if not (is_fragment(request) and redirect.has_header("Location")):
        return redirect
    return HttpResponse(headers={"HX-Redirect": redirect["Location"]})


def _check_access(page: type[Page]) -> None:
    served = {method for method in METHODS if hasattr(page, method)}
    access = getattr(page, "access", None)
    told = access if isinstance(access, dict) else dict.fromkeys(served, access)
    if set(told) != served or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in told.values()):
        raise ImproperlyConfigured(f"{page.__qualname__} does not say what it gives access to")
